import { html } from 'htm/preact';
import { get } from '../api.js';
import { status } from '../live.js';
import { linkTo, place, setQuery } from '../place.js';
import { count, date, figure, percent, plural, rfc, seconds, severityNames, watts, words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { Facts, Failure, Field, MeterLink, Panel, Select, Severity, Table, Time } from '../ui/parts.js';
import { FirmwareChart } from './fleet-firmware.js';
import { HeatStrip } from './fleet-heat.js';

export const fleetTitle = () => 'Fleet';

const daySeconds = 86_400;
const mostListed = 100;

/** "2 critical, 5 high": the gravest two severities that there are. */
function worstOf(counts) {
  const some = severityNames.filter((s) => counts?.[s] > 0);
  return some.length === 0 ? 'none' : some.slice(0, 2).map((s) => `${count(counts[s])} ${s}`).join(', ');
}

function Headline({ of }) {
    return html`<${Panel} id="headline" title="The fleet now"><${Facts} class="big" of=${[
    ['Meters', count(of.meters)], ['Observers', count(of.observers)], ['Feeders', count(of.feeders)], ['Cohorts', count(of.cohorts)],
    ['Concentrators', count(of.concentrators)], ['Silent for 3 days', count(of.silent)], ['Never heard of', count(of.never_heard)], ['Load', watts(of.load_watts)], ['Load at risk', watts(of.switchable_watts)],
    ['Findings, last day', worstOf(of.findings_day)], ['Findings, last week', worstOf(of.findings_week)]]} /></${Panel}>`;
}

/** Whole days since the last reading, on the clock of the data. */
function silentDays(m) {
  const [end, last] = [seconds(status.value?.watermark), seconds(m.last_reading)];
  return end === null || last === null ? null : Math.floor((end - last) / daySeconds);
}

function Silent() {
  const days = place.value.query.silent ?? '3';
  const load = useLoad(`silent${days}`, (abort) => get('/fleet/silent', { days, limit: mostListed }, { abort }));
  const meters = load.data?.meters ?? [];
  return html`<${Panel} id="silent" title="Silent meters" note=${load.data ? plural(load.data.total ?? meters.length, 'meter') : ''} actions=${html`<${Select} label="For days" any=${null} value=${days}
      options=${['1', '3', '7', '30'].map((d) => [d, d])} onPick=${(d) => setQuery({ silent: d })} />`}>
    <${Failure} error=${load.error} again=${load.again} />
    <${Table} caption="Meters that have been silent for ${days} days" hidden tall rows=${meters} keyOf=${(m) => m.id} empty=${load.busy ? 'Reading…' : 'None.'} columns=${[
      { head: 'Meter', scope: 'row', cell: (m) => html`<${MeterLink} id=${m.id} name=${m.name} />` },
      { head: 'Feeder', cell: (m) => m.feeder }, { head: 'Concentrator', cell: (m) => m.concentrator },
      { head: 'Last reading', cell: (m) => (m.last_reading ? html`<${Time} of=${m.last_reading} />` : 'never') },
      { head: 'Days', class: 'number', cell: (m) => count(silentDays(m)) }]} />
    ${load.data?.next && html`<p class="note">These are the first ${mostListed}. <a href=${linkTo('meters', null, { silent_days: days })}>All of them</a></p>`}</${Panel}>`;
}

/** How many findings honest homes get, against how many were promised. */
function Budget() {
  const load = useLoad('budget', (abort) => get('/fleet/budget', {}, { abort }));
  const d = load.data;
  const rate = d?.per1000_meter_years;
  const isOver = d && rate > d.budget;
  const most = Math.max(d?.budget ?? 1, rate ?? 0) * 1.1;
  return html`<${Panel} id="budget" title="False alarms"><${Failure} error=${load.error} again=${load.again} />
    ${d && html`<p><strong class=${isOver ? 'over' : 'within'}>${figure(rate)}</strong> a year for each 1,000 meters; the budget is ${figure(d.budget)}. ${isOver ? 'That is over the budget.' : 'That is within the budget.'}</p>
      <meter class="budget" min="0" max=${most} high=${d.budget} value=${rate ?? 0} aria-label="False alarms: ${figure(rate)} of ${figure(d.budget)}"></meter>
      <${Table} caption="By kind of finding" tall rows=${d.by_kind ?? []} empty="No verdict says false yet." columns=${[
        { head: 'Kind', scope: 'row', cell: (k) => words(k.kind) }, { head: 'Findings', class: 'number', cell: (k) => count(k.findings) },
        { head: 'Per 1,000 a year', class: 'number', cell: (k) => figure(k.per1000_meter_years) },
        { head: 'Budgeted', cell: (k) => (k.is_budgeted ? 'yes' : 'no') },
        { head: 'Said true', class: 'number', cell: (k) => count(k.verdicts_true) }, { head: 'benign', class: 'number', cell: (k) => count(k.verdicts_benign) },
        { head: 'false', class: 'number', cell: (k) => count(k.verdicts_false) }]} />`}</${Panel}>`;
}

/** Who stands out in a window that was brushed over the strip, or typed. */
function Rank({ from, to }) {
  const load = useLoad(`${from}${to}`, (abort) => get('/fleet/rank', { from, to, limit: 50 }, { abort }));
  const meters = (load.data?.meters ?? []).map((m) => ({ ...m.meter, ...m, score: m.score }));
  const pick = (name) => (e) => setQuery({ [name]: e.currentTarget.value }, { replace: true });
  return html`<${Panel} id="rank" title="Who stands out" note=${load.data ? html`findings from ${date(load.data.from)} up to ${date(load.data.to)}; drag over the days above for others` : ''} actions=${html`<div class="inline">
      <${Field} label="From"><input id="rank-from" type="date" value=${from?.slice(0, 10) ?? ''} onChange=${pick('from')} /></${Field}>
      <${Field} label="Up to"><input id="rank-to" type="date" value=${to?.slice(0, 10) ?? ''} onChange=${pick('to')} /></${Field}></div>`}>
    <${Failure} error=${load.error} again=${load.again} />
    <${Table} caption="Meters by the score of their findings in the window" hidden tall rows=${meters} keyOf=${(m) => m.id} empty=${load.busy ? 'Reading…' : 'Nothing was found in this window.'} columns=${[
      { head: 'Meter', scope: 'row', cell: (m) => html`<${MeterLink} id=${m.id} name=${m.name} />` }, { head: 'Feeder', class: 'name', cell: (m) => m.feeder },
      { head: 'Score', class: 'number', cell: (m) => figure(m.score) }, { head: 'Findings', class: 'number', cell: (m) => count(m.findings) },
      { head: 'Worst', cell: (m) => html`<${Severity} of=${m.worst} />` },
      { head: 'Kinds', cell: (m) => (m.kinds ?? []).map(words).join(', ') }]} /></${Panel}>`;
}

function Feeders() {
  const { query } = place.value;
  const load = useLoad(`feeders${query.feeders ?? ''}`, (abort) => get('/feeders', { limit: mostListed, cursor: query.feeders }, { abort }));
  const rows = load.data?.feeders ?? [];
  const next = load.data?.next ? new URLSearchParams(load.data.next.split('?')[1]).get('cursor') : null;
  return html`<${Panel} id="feeders" title="Feeders" note="load at risk: what remote switches could drop"><${Failure} error=${load.error} again=${load.again} />
    <${Table} caption="Feeders" hidden tall rows=${rows} keyOf=${(f) => f.name} empty=${load.busy ? 'Reading…' : 'None.'} columns=${[
      { head: 'Feeder', scope: 'row', cell: (f) => html`<a href=${linkTo('meters', null, { feeder: f.name })}>${f.name}</a>` },
      { head: 'Meters', class: 'number', cell: (f) => count(f.meters) },
      { head: 'With data', class: 'number', cell: (f) => count(f.members_with_data) },
      { head: 'Load', class: 'number', cell: (f) => watts(f.load_watts) },
      { head: 'Load at risk', class: 'number', cell: (f) => watts(f.switchable_watts) },
      { head: 'Loss', class: 'number', cell: (f) => percent(f.balance?.loss_share) }, { head: 'Usual loss', class: 'number', cell: (f) => percent(f.balance?.usual_loss_share) },
      { head: 'Voltage', class: 'number', cell: (f) => (f.mean_volts === null ? '–' : `${figure(f.mean_volts)} V`) },
      { head: 'Outage', cell: (f) => (f.is_out ? html`<span class="tag bad">out</span>` : 'no') }, { head: 'Of day', cell: (f) => f.last_day ?? '–' }]} />
    ${next && html`<nav class="pages" aria-label="Pages of feeders"><a class="button" href=${linkTo('fleet', null, { ...query, feeders: next })}>Next page →</a></nav>`}</${Panel}>`;
}

export function FleetScreen() {
  const { query } = place.value;
  const head = useLoad('fleet', (abort) => get('/fleet', {}, { abort }));
  const end = seconds(status.value?.watermark) ?? null;
  const by = query.by === 'cohort' ? 'cohort' : 'feeder';
  const days = query.days ?? '30';
  const heat = useLoad(`heat${by}${days}`, (abort) => get('/fleet/heat', { by, days }, { abort }));
  const brush = (from, to) => setQuery({ from, to: rfc((seconds(to) ?? end) + daySeconds).slice(0, 10) });
  return html`<h1>Fleet</h1><${Failure} error=${head.error} again=${head.again} />${head.data && html`<${Headline} of=${head.data} />`}
    <${Panel} id="heat" title="Findings by ${by} and day" actions=${html`<div class="inline"><${Select} label="By" any=${null} value=${by} options=${['feeder', 'cohort']} onPick=${(v) => setQuery({ by: v })} />
      <${Select} label="Days" any=${null} value=${days} options=${['14', '30', '90'].map((d) => [d, d])} onPick=${(v) => setQuery({ days: v })} /></div>`}>
      <${Failure} error=${heat.error} again=${heat.again} />
      ${heat.data && html`<${HeatStrip} of=${heat.data} from=${query.from} to=${query.to} brush=${brush} />`}</${Panel}>
    <div class="split even"><${Rank} from=${query.from} to=${query.to} /><${Budget} /></div>
    <div class="split even"><${FirmwareChart} days=${days} /><${Silent} /></div>
    <${Feeders} />`;
}
