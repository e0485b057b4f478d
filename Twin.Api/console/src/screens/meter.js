import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { get, may, purpose, setPurpose } from '../api.js';
import { status } from '../live.js';
import { linkTo, place, setQuery } from '../place.js';
import { dayCount } from '../pure/chart.js';
import { any, count, date, figure, isNever, plural, rfc, seconds, span, time, words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { Facts, Failure, Panel, Select, Severity, Table, Time } from '../ui/parts.js';
import { MeterChart } from './meter-chart.js';
import { Keys, Lineage, Measures } from './meter-parts.js';

export const meterTitle = (id) => `Meter ${id}`;

const purposes = [['investigation', 'investigation of a case'], ['fault', 'fault or complaint'], ['customer_request', 'request of the customer']];
const daySeconds = 86_400;
const tenYears = 3653 * daySeconds;

/** Reading a load curve looks into a home: why is asked once a session and stands in the ledger. */
function Purpose() {
  const [why, setWhy] = useState('');
  return html`<form class="purpose" id="purpose" onSubmit=${(e) => { e.preventDefault(); setPurpose(why); }}>
    <p>A load curve shows when people are at home. Reading it needs a purpose, which is written into the ledger with your name.</p>
    <div class="inline"><${Select} id="purpose-select" label="Purpose" value=${why} any="choose" options=${purposes} onPick=${setWhy} />
    <button type="submit" class="primary" disabled=${!why}>Show the load curve</button></div></form>`;
}

/** A day between the first reading and now; the end means "as it is now". */
function AsOf({ bounds, at }) {
  const days = dayCount(bounds.from, bounds.to);
  const now = at === null ? days : Math.min(days, Math.max(0, Math.round((at - bounds.from) / daySeconds)));
  const [shown, setShown] = useState(now);
  useEffect(() => setShown(now), [now]);
  const when = (n) => (n >= days ? null : rfc(bounds.from + n * daySeconds));
  const text = (n) => (n >= days ? 'now' : date(when(n)));
  const knownAt = place.value.query.known_at;
  const pick = (time) => setQuery({ at: time, known_at: knownAt ? time : null }, { replace: true });
  return html`<div class="as-of" id="as-of">
    <label for="as-of-slider"><strong>As of <output id="as-of-value">${text(shown)}</output></strong></label>
    <input id="as-of-slider" type="range" min="0" max=${days} step="1" value=${shown} aria-valuetext=${text(shown)}
      onInput=${(e) => setShown(Number(e.currentTarget.value))}
      onChange=${(e) => pick(when(Number(e.currentTarget.value)))} />
    <span class="ends" aria-hidden="true">${date(rfc(bounds.from))}</span>
    <label class="check"><input id="known-at" type="checkbox" checked=${Boolean(knownAt)} disabled=${at === null && !knownAt}
      onChange=${(e) => setQuery({ known_at: e.currentTarget.checked ? when(shown) : null }, { replace: true })} /> as it was known then</label>
    ${at !== null && html`<button type="button" onClick=${() => setQuery({ at: null, known_at: null })}>Back to now</button>`}
  </div>`;
}

function boundsOf(twin) {
  const channel = (twin?.channels ?? []).find((c) => c.channel === 'import') ?? twin?.channels?.[0];
  const end = seconds(status.value?.watermark ?? status.value?.now) ?? 0;
  const from = channel ? channel.first_minute * 60 : end - 7 * daySeconds;
  const to = Math.max(channel ? channel.last_minute * 60 : end, from + 3600);
  return { from: Math.max(from, to - tenYears), to };
}

const intervalOf = (twin, channel = 'import') => (twin?.channels ?? []).find((c) => c.channel === channel)?.interval_minutes ?? null;

function windowOf(query, bounds) {
  const from = seconds(query.from) ?? Math.max(bounds.from, bounds.to - 30 * daySeconds);
  const to = seconds(query.to) ?? bounds.to;
  return to > from ? { from, to } : bounds;
}

function Head({ data, id }) {
  const t = data.twin ?? {};
  const relation = t.relation ?? {};
  const channel = (t.channels ?? []).find((c) => c.channel === 'import');
  const s = t.security;
  return html`<p class="crumbs"><a href="/meters">Meters</a> › <code>${data.id ?? id}</code></p>
    <div class="head-row"><h1>Meter ${data.name ?? id}</h1>${data.at && html`<span class="tag past" id="past">as of ${time(data.at)} UTC</span>`}
      ${data.known_at && html`<span class="tag past">as known at ${time(data.known_at)} UTC</span>`}</div>
    <${Panel} id="facts" title="What it is"><${Facts} of=${[
      ['Role', words(relation.role ?? t.role)], ['Feeder', relation.feeder && html`<a href=${linkTo('meters', null, { feeder: relation.feeder })}>${relation.feeder}</a>`],
      ['Concentrator', relation.concentrator], ['Region', relation.region], ['Model', relation.model], ['Firmware', relation.firmware],
      ['Lot', relation.lot], ['Usage point', relation.usage_point], ['Customer', words(relation.category)], ['Zone', t.zone],
      ['Readings', channel && count(channel.stored)], ['Missing', channel && count(channel.missing)],
      ['Sum', channel && `${figure(channel.sum / 1000)} kWh`],
      ['Score', `${figure(t.last_score)}${t.last_top ? ` (${words(t.last_top)})` : ''}`],
      ['Stage', s && words(s.stage)], ['Attested', s && (isNever(s.last_fresh) ? 'not yet' : html`<${Time} of=${s.last_fresh} />`)],
      ['Trust', s?.result?.tier ? words(s.result.tier) : null],
      ['Supply', s?.switch ? (s.switch.output ? 'on' : 'off') : null]].map(([k, v]) => [k, v === undefined || v === '' ? null : v])} /></${Panel}>`;
}

const Findings = ({ of }) => html`<${Panel} id="findings" title="Findings" note=${plural(of.length, 'finding')}>
  <${Table} caption="Findings about this meter" hidden rows=${of.slice(0, 50)} keyOf=${(f) => f.id} empty="None: nothing about this meter stood out." columns=${[
    { head: 'Severity', cell: (f) => html`<${Severity} of=${f.severity} />` },
    { head: 'What', scope: 'row', cell: (f) => f.sentence },
    { head: 'From', cell: (f) => html`<${Time} of=${f.from} />` }, { head: 'To', cell: (f) => html`<${Time} of=${f.to} />` },
    { head: 'Score', class: 'number', cell: (f) => figure(f.score) }]} /></${Panel}>`;

function Reasons({ twin }) {
  const contexts = twin?.contexts ?? [];
  if (contexts.length === 0) return null;
  return html`<${Panel} id="contexts" title="What explains changes"><${Table} caption="Dated context" hidden rows=${contexts} columns=${[
    { head: 'What', scope: 'row', cell: (c) => words(c.kind ?? c.context) }, { head: 'Detail', cell: (c) => any(Object.fromEntries(Object.entries(c).filter(([k]) => k !== 'kind' && k !== 'context'))) }]} /></${Panel}>`;
}

export function MeterScreen() {
  const { id, query } = place.value;
  const ask = { at: query.at, known_at: query.known_at };
  const load = useLoad(JSON.stringify([id, ask]), (abort) => get(`/meters/${encodeURIComponent(id)}`, ask, { abort }));
  const present = useLoad(id, (abort) => get(`/meters/${encodeURIComponent(id)}`, {}, { abort }));
  const findings = useLoad(JSON.stringify([id, query.known_at, 'findings']), (abort) => get('/findings', { subject: id, known_at: query.known_at, limit: 200 }, { abort }));
  if (!load.data && load.error?.status === 404 && query.at) {
    return html`<h1>Meter ${id}</h1><${Failure} error=${load.error} />${present.data && html`<${AsOf} bounds=${boundsOf(present.data.twin)} at=${seconds(query.at)} />`}`;
  }
  if (!load.data || !present.data) return html`<h1>Meter ${id}</h1>${load.error ? html`<${Failure} error=${load.error} again=${load.again} />` : html`<p role="status">Reading the twin…</p>`}`;
  const meter = present.data.id ?? id;
  const bounds = boundsOf(present.data.twin);
  const window = windowOf(query, bounds);
  const channels = (present.data.twin?.channels ?? []).map((c) => c.channel);
  const found = findings.data?.findings ?? [];
  const move = (w) => setQuery({ from: rfc(w.from), to: rfc(w.to) }, { replace: true });
  return html`<article data-meter-id=${meter} aria-busy=${load.busy}><${Head} data=${load.data} id=${id} />
    <${Failure} error=${load.error} again=${load.again} />
    <${Panel} id="as-of-panel" title="In time"><${AsOf} bounds=${bounds} at=${seconds(query.at)} /></${Panel}>
    <${Panel} id="load-curve" title="Load curve" actions=${channels.length > 1 && html`<${Select} label="Channel" any=${null} value=${query.channel ?? 'import'} options=${channels} onPick=${(c) => setQuery({ channel: c })} />`}>
      ${!may('load_curve') ? html`<p class="note">Your role may not read load curves.</p>` : !purpose.value ? html`<${Purpose} />`
        : html`<${MeterChart} meter=${meter} window=${window} bounds=${bounds} channel=${query.channel} interval=${intervalOf(present.data.twin, query.channel)} knownAt=${query.known_at} findings=${found} at=${seconds(query.at)} move=${move} />`}
    </${Panel}>
    <${Findings} of=${found} />
    <div class="split even"><${Lineage} id=${meter} ask=${ask} /><${Keys} id=${meter} ask=${ask} /></div>
    <${Measures} id=${meter} /><${Reasons} twin=${load.data.twin} /></article>`;
}
