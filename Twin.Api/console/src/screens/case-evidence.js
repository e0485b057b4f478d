import { html } from 'htm/preact';
import { get } from '../api.js';
import { figure, percent, plural, words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { Panel, Severity, Subject, Table, Time } from '../ui/parts.js';

const mostFindings = 12;

/** What was seen beside what was expected; the bar shows each feature's share of the score. */
export const EvidenceTable = ({ finding }) => html`<${Table} caption=${`Evidence of ${words(finding.kind)}`} hidden keyOf=${(e) => e.feature}
  empty="A rule that needs no figures." scroll=${false} columns=${[
  { head: 'Feature', scope: 'row', cell: (e) => words(e.feature) },
  { head: 'Observed', class: 'number', cell: (e) => html`${figure(e.observed)} ${e.unit}` },
  { head: 'Expected', class: 'number', cell: (e) => html`${figure(e.expected)} ${e.unit}` },
  { head: 'Share of the score', class: 'share', cell: (e) => html`<meter min="0" max="1" value=${e.contribution} aria-label="Share of the score: ${percent(e.contribution)}"></meter> ${percent(e.contribution)}` },
]} rows=${[...(finding.evidence ?? [])].sort((a, b) => b.contribution - a.contribution)} />`;

/** What cryptography says of the meter: it may all pass, and the meter lie nonetheless. */
function Checks({ meter }) {
  const load = useLoad(meter, (abort) => get(`/meters/${meter}/lineage`, {}, { abort }));
  const checks = load.data?.checks ?? [];
  const made = checks.filter((c) => c.passed !== null);
  const broken = made.filter((c) => c.passed === false).length;
  const says = made.length === 0 ? 'nothing to check yet' : broken === 0 ? `all ${made.length} pass` : `${broken} of ${made.length} fail`;
  return html`<div class="column-crypto"><h3>What cryptography says: ${load.data ? says : '…'}</h3>
    <ul class="checks" id="checks">${checks.map((c) => html`<li class=${c.passed === false ? 'fails' : c.passed ? 'passes' : 'unknown'}>
      <span aria-hidden="true">${c.passed === false ? '✗' : c.passed ? '✓' : '·'}</span> ${words(c.check)}<span class="unseen">: ${c.passed === false ? 'fails' : c.passed ? 'passes' : 'nothing to check'}</span></li>`)}</ul>
    ${load.error && html`<p class="note">${load.error.message}</p>`}</div>`;
}

const Counter = ({ of }) => html`<h3>What speaks against it</h3>${of.length === 0 ? html`<p class="note">Nothing was found that does.</p>`
  : html`<ul class="counter">${of.map((t) => html`<li>${t}</li>`)}</ul>`}`;

function FindingPart({ finding, open }) {
  return html`<details class="finding" open=${open} data-finding-id=${finding.id}>
    <summary><${Severity} of=${finding.severity} /> <strong>${words(finding.kind)}</strong> <span class="grow">${finding.sentence}</span>
      <${Time} of=${finding.detected_at} /></summary>
    <p class="note">From <${Time} of=${finding.from} /> to <${Time} of=${finding.to} /> · score ${figure(finding.score)} · confidence ${percent(finding.confidence)}
      ${` · ${finding.detector} ${finding.detector_version}`}${finding.technique && ` · ${finding.technique}`}${
        finding.subject_name && html` · <${Subject} subject=${finding.subject} name=${finding.subject_name} />`}</p>
    <${EvidenceTable} finding=${finding} />
  </details>`;
}

export function Evidence({ item }) {
  const findings = [...(item.findings ?? [])].sort((a, b) => b.score - a.score);
  const shown = findings.slice(0, mostFindings);
  const [kind, id] = (item.subject ?? '').split(':');
  const meter = kind === 'meter' ? id : findings.find((f) => f.subject?.startsWith('meter:'))?.subject.split(':')[1];
  const counter = item.counter_evidence ?? [...new Set(findings.flatMap((f) => f.counter_evidence ?? []))];
  const beside = meter && (item.desk === 'security' || item.desk === undefined);
  return html`<${Panel} id="evidence" title="What was seen, against what was expected" note=${plural(item.finding_count ?? findings.length, 'finding')}>
    <div class=${beside ? 'two-sides' : ''}>
      ${beside && html`<${Checks} meter=${meter} />`}
      <div class="column-twin">${beside && html`<h3>What the twin says: ${plural(findings.length, 'finding')}</h3>`}
        ${shown.map((f, i) => html`<${FindingPart} key=${f.id} finding=${f} open=${i === 0} />`)}
        ${findings.length > shown.length && html`<p class="note">and ${findings.length - shown.length} more, in the timeline</p>`}
        ${findings.length === 0 && html`<p class="note">No finding is kept in the case; the timeline has them.</p>`}</div>
    </div>
    <${Counter} of=${counter} />
  </${Panel}>`;
}
