import { html } from 'htm/preact';
import { get } from '../api.js';
import { linkTo, place, setQuery } from '../place.js';
import { count, short, words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { CaseLink, Failure, Panel, Select, Table, Time } from '../ui/parts.js';
import { TextFilter } from './triage-filters.js';

const pageSize = 100;
const kinds = ['finding', 'request', 'decision', 'case', 'response', 'order', 'act', 'policy'];

/** The audit record as it is kept: numbered, each entry bound to the one before by its hash. */
export function Ledger() {
  const { query } = place.value;
  const end = useLoad('end', (abort) => get('/ledger/end', {}, { abort }));
  const last = end.data?.number;
  // Without a place to begin, the newest page.
  const after = query.after ?? (last === undefined ? null : query.case || query.kind ? 0 : Math.max(0, last - pageSize));
  const ask = { after, limit: pageSize, case: query.case, kind: query.kind };
  const load = useLoad(after === null ? null : JSON.stringify(ask), (abort) => get('/ledger', ask, { abort }));
  const entries = load.data?.ledger ?? [];
  const move = (n) => setQuery({ after: String(Math.max(0, n)) });
  const first = entries[0]?.number;
  return html`<${Panel} id="ledger" title="Ledger" note=${end.data && html`${count(last)} entries${end.data.hash && html`, end <code title=${end.data.hash}>${end.data.hash.slice(0, 16)}</code>`}`}>
    <form class="filters" role="search" aria-label="Filter the ledger" onSubmit=${(e) => e.preventDefault()}>
      <${TextFilter} name="after" label="After number" value=${query.after} width="8" /><${TextFilter} name="case" id="search" label="Case" value=${query.case} width="20" />
      <${Select} label="Kind" value=${query.kind} options=${kinds} onPick=${(v) => setQuery({ kind: v, after: null })} />
      <a class="clear" href=${linkTo('policies', null, { part: 'ledger' })}>Newest</a></form>
    <${Failure} error=${end.error ?? load.error} again=${load.again} />
    <${Table} caption="Ledger entries" hidden rows=${entries} keyOf=${(e) => e.number} empty=${load.busy ? 'Reading…' : 'No entry.'} columns=${[
      { head: '#', class: 'number', scope: 'row', cell: (e) => count(e.number) }, { head: 'At', cell: (e) => html`<${Time} of=${e.at} />` },
      { head: 'Kind', cell: (e) => words(e.kind) }, { head: 'What', cell: (e) => html`${short(e.text)}${e.why && !e.text.includes(e.why) && html` <span class="note">${short(e.why)}</span>`}` }, { head: 'Who', cell: (e) => e.who ?? '' },
      { head: 'Case', cell: (e) => (e.case ? html`<${CaseLink} id=${e.case}><code>${e.case.slice(-12)}</code></${CaseLink}>` : '') },
      { head: 'Hash', cell: (e) => (e.hash ? html`<code title=${e.hash}>${e.hash.slice(0, 10)}</code>` : '') }]} />
    <nav class="pages" aria-label="Pages of the ledger">${first > 1 && html`<button type="button" onClick=${() => move(first - 1 - pageSize)}>← Older</button>`}
      ${load.data?.next && html`<button type="button" onClick=${() => move(entries.at(-1).number)}>Newer →</button>`}</nav></${Panel}>`;
}
