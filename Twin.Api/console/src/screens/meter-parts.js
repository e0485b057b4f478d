import { html } from 'htm/preact';
import { get } from '../api.js';
import { count, isNever, plural, words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { CaseLink, Failure, Panel, State, Table, Time } from '../ui/parts.js';

/** Firmware as attested: what runs, and every step since the meter was first attested. */
export function Lineage({ id, ask }) {
  const load = useLoad(JSON.stringify(['lineage', id, ask]), (abort) => get(`/meters/${id}/lineage`, ask, { abort }));
  const d = load.data;
  return html`<${Panel} id="lineage" title="Lineage" note=${d && (isNever(d.baselined_at) ? 'never attested' : html`attested since <${Time} of=${d.baselined_at} />`)}>
    <${Failure} error=${load.error} again=${load.again} />
    <${Table} caption="Parts as attested last" rows=${d?.parts ?? []} columns=${[
      { head: 'Part', scope: 'row', cell: (p) => words(p.part) }, { head: 'Version', cell: (p) => p.version },
      { head: 'Image', cell: (p) => html`<code title=${p.image}>${p.image?.slice(0, 12)}</code>` },
      { head: 'Covered by', cell: (p) => html`<span class="tag source-${p.source}">${words(p.source)}</span>` }]} />
    <h3>Steps</h3>
    ${(d?.steps ?? []).length === 0 ? html`<p class="note">None since the baseline.</p>` : html`<ol class="timeline">${[...d.steps].reverse().map((s) => html`<li>
      <${Time} of=${s.at} /> <strong>${words(s.part)}</strong> ${s.version} <code title=${s.image}>${s.image?.slice(0, 12)}</code>
      <span class="tag source-${s.source}">${words(s.source)}</span>${s.campaign && html` <span class="note">campaign ${s.campaign}</span>`}</li>`)}</ol>`}
    ${(d?.campaigns ?? []).length > 0 && html`<${Table} caption="Campaigns" rows=${d.campaigns} columns=${[
      { head: 'Campaign', scope: 'row', cell: (c) => c.campaign }, { head: 'Part', cell: (c) => words(c.part) },
      { head: 'State', cell: (c) => words(c.state) }, { head: 'Since', cell: (c) => html`<${Time} of=${c.since} />` }]} />`}
    ${(d?.checks ?? []).length > 0 && html`<h3>Cryptographic checks</h3><ul class="checks">${d.checks.map((c) => html`<li class=${c.passed === false ? 'fails' : c.passed ? 'passes' : 'unknown'}>
      <span aria-hidden="true">${c.passed === false ? '✗' : c.passed ? '✓' : '·'}</span> ${words(c.check)}<span class="unseen">: ${c.passed === false ? 'fails' : c.passed ? 'passes' : 'nothing to check'}</span></li>`)}</ul>`}
  </${Panel}>`;
}

/** What is known of each key, never the key: when it came, was used, ends. */
export function Keys({ id, ask }) {
  const load = useLoad(JSON.stringify(['keys', id, ask]), (abort) => get(`/meters/${id}/keys`, ask, { abort }));
  const keys = load.data?.keys ?? [];
  const steps = keys.flatMap((k) => ['created', 'activated', 'last_use', 'expires', 'compromised'].filter((n) => !isNever(k[n]))
    .map((n) => ({ at: k[n], what: n, slot: k.slot }))).sort((a, b) => (a.at < b.at ? 1 : -1));
  return html`<${Panel} id="keys" title="Keys" note=${plural(keys.length, 'slot')}><${Failure} error=${load.error} again=${load.again} />
    <${Table} caption="Key slots" rows=${keys} keyOf=${(k) => k.slot} columns=${[
      { head: 'Slot', scope: 'row', cell: (k) => words(k.slot) },
      { head: 'Fingerprint', cell: (k) => html`<code title=${k.fingerprint}>${k.fingerprint?.slice(0, 12)}</code>` },
      { head: 'Sent', class: 'number', cell: (k) => count(k.from_meter) }, { head: 'Received', class: 'number', cell: (k) => count(k.to_meter) },
      { head: 'Last use', cell: (k) => html`<${Time} of=${k.last_use} />` },
      { head: 'State', cell: (k) => (!isNever(k.compromised) ? html`<span class="tag bad">compromised</span>` : k.untrusted ? html`<span class="tag bad">not trusted</span>` : 'in order') }]} />
    <h3>Timeline</h3>
    ${steps.length === 0 ? html`<p class="note">Nothing is dated.</p>` : html`<ol class="timeline">${steps.slice(0, 40).map((s) => html`<li><${Time} of=${s.at} /> <strong>${words(s.slot)}</strong>
      <span class=${s.what === 'compromised' ? 'tag bad' : 'tag'}>${words(s.what)}</span></li>`)}</ol>`}</${Panel}>`;
}

export function Measures({ id }) {
  const load = useLoad(`measures${id}`, (abort) => get(`/meters/${id}/measures`, {}, { abort }));
  const all = load.data?.responses ?? [];
  return html`<${Panel} id="measures" title="Measures in force or pending" note=${plural(all.length, 'measure')}><${Failure} error=${load.error} again=${load.again} />
    <${Table} caption="Measures" hidden rows=${all} keyOf=${(r) => r.id} empty="None: nothing is done to this meter." columns=${[
      { head: 'Measure', scope: 'row', cell: (r) => words(r.rung) }, { head: 'State', cell: (r) => html`<${State} of=${r.state} />` },
      { head: 'Enforced by', cell: (r) => words(r.enforcer) }, { head: 'Why', cell: (r) => r.why || r.reason },
      { head: 'Expires', cell: (r) => html`<${Time} of=${r.expires_at} />` },
      { head: 'Case', cell: (r) => html`<${CaseLink} id=${r.case}>open the case</${CaseLink}>` }]} /></${Panel}>`;
}
