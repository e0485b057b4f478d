import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, session } from '../api.js';
import { ActDialog, acknowledgement, actOn, asked, notAllowed, takesCase } from '../acts.js';
import { onKeys } from '../keyboard.js';
import { news, status } from '../live.js';
import { go, linkTo, place } from '../place.js';
import { count, figure, isNever, percent, plural, short, span, seconds, words } from '../pure/format.js';
import { caseKey, isNews } from '../pure/news.js';
import { announce } from '../ui/announce.js';
import { useLoad } from '../ui/load.js';
import { CaseLink, Condition, Facts, Failure, Field, Handling, Panel, Severity, Subject, Time } from '../ui/parts.js';
import { Evidence } from './case-evidence.js';
import { ProposeDialog, proposing, Responses } from './case-responses.js';

export const caseTitle = (id) => `Case ${id}`;

function Assign({ item, done }) {
  const [name, setName] = useState(item.assignee ?? '');
  const [error, setError] = useState(null);
  useEffect(() => setName(item.assignee ?? ''), [item.assignee]);
  const submit = (e) => {
    e.preventDefault();
    actOn(item.id, { act: 'assign', assignee: name.trim() }, item.etag).then(done, setError);
  };
  return html`<form class="inline" onSubmit=${submit}><${Field} label="Assignee">
    <input id="assignee" value=${name} onInput=${(e) => setName(e.currentTarget.value)} required /></${Field}>
    <button type="submit" disabled=${!takesCase() || name === item.assignee}>Assign</button>
    <${Failure} error=${error} /></form>`;
}

const simpleActs = (item) => [
  ['acknowledge', 'Acknowledge', item.handling === 'new', 'a'],
  ['escalate', 'Escalate', item.handling !== 'resolved'],
  ['confirm', 'Confirm on site', item.handling !== 'resolved'],
  ['confirm_dangerous', 'Confirm: dangerous', item.handling !== 'resolved'],
  ['reopen', 'Reopen', item.handling === 'resolved'],
];

function Work({ item, act, begin }) {
  return html`<${Panel} id="handling" title="Handling" class="work">
    <p class="axes"><${Condition} of=${item.condition} /> <${Handling} of=${item.handling} disposition=${item.disposition} /></p>
    <${Assign} item=${item} done=${act} />
    <p class="buttons" role="group" aria-label="Acts on this case">
      ${simpleActs(item).filter(([, , fits]) => fits).map(([name, text, , key]) => html`<button type="button" key=${name} data-act=${name}
        class=${name === 'acknowledge' ? 'primary' : ''} disabled=${!takesCase()} onClick=${() => begin(name)}>${key && html`<kbd>${key}</kbd> `}${text}</button>`)}
      ${item.handling !== 'resolved' && html`<button type="button" data-act="resolve" disabled=${!takesCase()} onClick=${() => begin('resolve')}><kbd>r</kbd> Resolve…</button>`}
      <button type="button" data-act="comment" disabled=${!takesCase()} onClick=${() => begin('comment')}><kbd>c</kbd> Comment…</button>
      <button type="button" data-act="suppress" disabled=${!takesCase()} onClick=${() => begin('suppress')}><kbd>s</kbd> Suppress…</button>
    </p>
    ${!takesCase() && html`<p class="note">${notAllowed()}</p>`}
  </${Panel}>`;
}

/** Harm is counted in minutes without supply of one ordinary customer. */
const minutes = (n) => (n === null || n === undefined ? null : `${figure(n)} customer minutes`);

function Decision({ item }) {
  const d = item.decision;
  const rungs = (list, text) => html`<h3>${text}</h3>${(list ?? []).length === 0 ? html`<p class="note">There is none.</p>`
    : html`<ul class="rungs">${list.map((r) => html`<li>${r.rung && html`<strong>${words(r.rung)}</strong>: `}${r.reason}</li>`)}</ul>`}`;
  return html`<${Panel} id="why" title="Why this response" note=${item.policy_digest && `policy ${item.policy_digest.slice(0, 12)}`}>
    <p><strong class="rung">${words(d?.rung ?? item.rung)}</strong> ${d?.why ?? item.why}</p>
    ${d?.rule && html`<p class="note">By the rule "${d.rule}" of ${d.policy}.</p>`}
    ${d?.refused && html`<p><strong>Refused:</strong> ${d.refused}</p>`}
    ${d && html`<${Facts} class="tight" of=${[['Harm of waiting', minutes(d.harm_of_not_acting)], ['Harm of acting', minutes(d.harm_of_acting)],
      ['Harm prevented', minutes(d.harm_prevented)], ['Approvals needed', count(d.approvals)]]} />`}
    ${d && html`<div class="columns"><div>${rungs(d.milder, 'Why nothing milder')}</div><div>${rungs(d.harsher, 'Why nothing harsher')}</div></div>`}
    ${(d?.next ?? []).length > 0 && html`<h3>If nobody does anything</h3><ul class="rungs">${d.next.map((t) => html`<li>${t}</li>`)}</ul>`}
  </${Panel}>`;
}

function Timeline({ entries }) {
  const [shown, setShown] = useState(20);
  const [whole, setWhole] = useState(false);
  // The case as a whole is written after each change, and repeats what the entries beside it say.
  const all = (entries ?? []).filter((e) => whole || e.kind !== 'case').reverse();
  const restated = (entries ?? []).length - (entries ?? []).filter((e) => e.kind !== 'case').length;
  return html`<${Panel} id="timeline" title="Timeline" note="newest first, from the ledger" actions=${restated > 0 && html`<label class="check"><input type="checkbox" checked=${whole} onChange=${(e) => setWhole(e.currentTarget.checked)} />
      with the ${restated} that restate the case</label>`}>
    <ol class="timeline" reversed>${all.slice(0, shown).map((e) => html`<li key=${e.number} class="event-${e.kind}">
      <${Time} of=${e.at} /> <span class="tag">${words(e.kind)}</span> <span class="event-text">${short(e.text)}${e.why && !e.text.includes(e.why) && html` <span class="note">${short(e.why)}</span>`}</span>
      ${e.who && html`<span class="by">${e.who}</span>`}<span class="number-tag" title="Number in the ledger">#${count(e.number)}</span></li>`)}</ol>
    ${all.length > shown && html`<button type="button" onClick=${() => setShown(shown + 100)}>Show ${Math.min(100, all.length - shown)} more of ${all.length}</button>`}
  </${Panel}>`;
}

const Comments = ({ of, begin }) => html`<${Panel} id="comments" title="Comments" actions=${html`<button type="button" class="plain" disabled=${!takesCase()} onClick=${() => begin('comment')}>Add…</button>`}>
  ${(of ?? []).length === 0 ? html`<p class="note">None yet.</p>` : html`<ul class="comments">${of.map((c) => html`<li><strong>${c.by}</strong> <${Time} of=${c.at} /><p>${c.text}</p></li>`)}</ul>`}
</${Panel}>`;

const Similar = ({ of }) => html`<${Panel} id="similar" title="Similar past cases">
  ${(of ?? []).length === 0 ? html`<p class="note">None.</p>` : html`<ul class="similar">${of.map((s) => html`<li><${CaseLink} id=${s.id}>${s.sentence}</${CaseLink}> <span class="tag">${words(s.disposition)}</span></li>`)}</ul>`}</${Panel}>`;

function Head({ item }) {
  return html`<p class="crumbs"><a href="/triage">Triage</a> › case <code>${item.id}</code></p>
    <h1 class="case-title">${item.sentence}</h1>
    <div class="case-line"><${Severity} of=${item.severity} /> <${Condition} of=${item.condition} /> <${Handling} of=${item.handling} disposition=${item.disposition} />
      <span>${words(item.desk)}</span><span>on <${Subject} subject=${item.subject} name=${item.subject_name} /></span>
      ${item.members > 1 && html`<span>${plural(item.members, 'meter')}</span>`}
      ${(item.techniques ?? []).map((t) => html`<span class="tag" title="MITRE ATT&CK for ICS">${t}</span>`)}</div>`;
}

const About = ({ item }) => html`<${Panel} id="about" title="About"><${Facts} of=${[
  ['From', html`<${Time} of=${item.from} />`], ['To', html`<${Time} of=${item.to} />`],
  ['Lasts', isNever(item.from) ? null : span((seconds(item.to) ?? 0) - (seconds(item.from) ?? 0))],
  ['Aware since', html`<${Time} of=${item.aware_at} />`], ['Changed', html`<${Time} of=${item.changed_at} />`],
  ['Confidence', percent(item.confidence)], ['Findings', count(item.finding_count)],
  ['Cause', item.cause ? html`<code>${item.cause}</code>` : null], ['Region', item.region || null],
  ['Covered by', item.covered || null], ['Verdict', item.verdict ? words(item.verdict) : null]]} /></${Panel}>`;

export function CaseScreen() {
  const { id, query } = place.value;
  const load = useLoad(id + (query.known_at ?? ''), (abort) => get(`/cases/${encodeURIComponent(id)}`, { known_at: query.known_at }, { abort }));
  const [error, setError] = useState(null);
  const item = load.data;
  const hasNews = isNews(news.value, id);
  // A case is read as it stands; when it changes meanwhile it is read again at once, as nothing in it moves by itself.
  useEffect(() => {
    if (!hasNews) return;
    news.value = { ...news.value, ids: news.value.ids.filter((i) => i !== caseKey(id)) };
    load.again();
  }, [hasNews]);
  // Somebody else signed in: what they may is not what the one before might.
  useEffect(() => {
    if (item) load.again();
  }, [session.value?.name]);

  const changed = (detail) => {
    setError(null);
    if (detail?.sentence) load.put({ ...item, ...detail });
    else load.again();
    announce('The case is changed.');
  };
  const begin = (name) => {
    if (!takesCase()) return setError({ message: notAllowed(), hint: '' });
    if (['resolve', 'comment', 'suppress'].includes(name)) asked.value = { kind: name, cases: [item], done: changed };
    else actOn(id, name === 'acknowledge' ? acknowledgement() : { act: name }, item.etag).then(changed, setError);
    return undefined;
  };
  const keys = useRef({});
  keys.current = { a: () => begin('acknowledge'), r: () => begin('resolve'), s: () => begin('suppress'), c: () => begin('comment'),
    p: () => (proposing.value = true), '.': load.again,
    m: () => (item?.subject?.startsWith('meter:') ? go(linkTo('meter', item.subject.split(':')[1])) : false) };
  useEffect(() => onKeys(Object.fromEntries(Object.keys(keys.current).map((k) => [k, (e) => item !== null && keys.current[k](e)]))), [item === null]);

  if (!item) return html`<h1>Case ${id}</h1>${load.error ? html`<${Failure} error=${load.error} again=${load.again} />` : html`<p role="status">Reading the case…</p>`}`;
  return html`<article data-case-id=${item.id} aria-busy=${load.busy}><${Head} item=${item} />
    <${Failure} error=${error ?? load.error} again=${load.error && load.again} />
    <div class="split"><div class="main-column">
      <${Evidence} item=${item} />
      <${Decision} item=${item} />
      <${Responses} item=${item} changed=${load.again} />
      <${Timeline} entries=${item.timeline} />
    </div><div class="side-column">
      <${Work} item=${item} act=${changed} begin=${begin} />
      <${About} item=${item} />
      <${Comments} of=${item.comments} begin=${begin} />
      <${Similar} of=${item.similar} />
    </div></div>
    <${ActDialog} /><${ProposeDialog} item=${item} changed=${load.again} /></article>`;
}
