import { html } from 'htm/preact';
import { get } from '../api.js';
import { linkTo, place, setQuery } from '../place.js';
import { count, figure, plural, words } from '../pure/format.js';
import { cursorOf, picked } from '../pure/route.js';
import { useLoad } from '../ui/load.js';
import { Failure, MeterLink, Select, Table, Time } from '../ui/parts.js';
import { TextFilter } from './triage-filters.js';

export const metersTitle = () => 'Meters';

const pageSize = 100;
const texts = [['name', 'Name', 'search'], ['feeder', 'Feeder'], ['concentrator', 'Concentrator'], ['model', 'Model'],
  ['firmware', 'Firmware'], ['lot', 'Lot'], ['region', 'Region'], ['finding', 'Kind of finding'],
  ['silent_days', 'Silent days'], ['score_min', 'Score from']];
const asks = [...texts.map(([n]) => n), 'role', 'category', 'sort', 'at', 'known_at'];

export function MetersScreen() {
  const query = place.value.query;
  const ask = { ...picked(query, asks), limit: pageSize, cursor: query.cursor };
  const load = useLoad(JSON.stringify(ask), (abort) => get('/meters', ask, { abort }));
  const meters = load.data?.meters ?? [];
  const next = cursorOf(load.data?.next);
  const pick = (name) => (value) => setQuery({ [name]: value, cursor: null });
  return html`<div class="head-row"><h1>Meters</h1><span class="grow"></span>
      <span class="note" id="meter-count">${load.data?.total !== undefined && load.data?.total !== null ? plural(load.data.total, 'meter') : ''}${load.data?.index_at && html`, index of <${Time} of=${load.data.index_at} />`}</span></div>
    <form class="filters" role="search" aria-label="Filter meters" onSubmit=${(e) => e.preventDefault()}>
      ${texts.map(([name, label, id]) => html`<${TextFilter} key=${name} name=${name} id=${id} label=${label} value=${query[name]} width=${name.includes('_') ? 5 : 10} />`)}
      <${Select} label="Role" value=${query.role} options=${['customer', 'observer']} onPick=${pick('role')} />
      <${Select} label="Customer" value=${query.category} options=${['unknown', 'ordinary', 'critical', 'medical']} onPick=${pick('category')} />
      <${Select} label="Order" value=${query.sort} any="id" options=${['name', 'score', 'last_reading']} onPick=${pick('sort')} />
      <a class="clear" href="/meters">Clear</a></form>
    <${Failure} error=${load.error} again=${load.again} />
    <${Table} caption="Meters" hidden keyOf=${(m) => m.id} rows=${meters} empty=${load.busy ? 'Reading…' : 'No meter matches.'} rowProps=${(m) => ({ 'data-meter-id': m.id })} columns=${[
      { head: 'Meter', scope: 'row', cell: (m) => html`<${MeterLink} id=${m.id} name=${m.name} />` },
      { head: 'Id', cell: (m) => html`<code>${m.id}</code>` },
      { head: 'Role', cell: (m) => words(m.role) },
      { head: 'Feeder', cell: (m) => m.feeder && html`<a href=${linkTo('meters', null, { feeder: m.feeder })}>${m.feeder}</a>` },
      { head: 'Concentrator', cell: (m) => m.concentrator },
      { head: 'Region', cell: (m) => m.region },
      { head: 'Model', cell: (m) => m.model },
      { head: 'Firmware', cell: (m) => m.firmware },
      { head: 'Customer', cell: (m) => words(m.category) },
      { head: 'Score', class: 'number', cell: (m) => figure(m.score) },
      { head: 'Last reading', cell: (m) => html`<${Time} of=${m.last_reading} />` },
    ]} />
    <nav class="pages" aria-label="Pages">${query.cursor && html`<button type="button" onClick=${() => history.back()}>← Page before</button>`}
      ${next && html`<a class="button" href=${linkTo('meters', null, { ...query, cursor: next })}>Next page →</a>`}</nav>`;
}
