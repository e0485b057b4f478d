import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { get, may, post } from '../api.js';
import { linkTo, place } from '../place.js';
import { plural, words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { Facts, Failure, Field, Panel, Table, Time } from '../ui/parts.js';
import { Covers } from './policies-covers.js';
import { Jobs } from './policies-jobs.js';
import { Ledger } from './policies-ledger.js';

const parts = [['policy', 'Policy'], ['what-if', 'What if'], ['jobs', 'Jobs'], ['covers', 'Suppressions & planned work'], ['ledger', 'Ledger']];

export const policiesTitle = () => 'Policies & replay';

const textOf = (p) => p?.text ?? '';

function InForce({ policy, load }) {
  const p = policy;
  return html`<${Panel} id="in-force" title="Policy in force" note=${p && `${p.name} ${p.version ?? ''}`}><${Failure} error=${load.error} again=${load.again} />
    ${p && html`<${Facts} of=${[['Name', p.name], ['Version', String(p.version ?? '')], ['Digest', html`<code title=${p.digest}>${p.digest.slice(0, 16)}</code>`],
      ['Since', p.since ? html`<${Time} of=${p.since} />` : 'from the start'], ['By', p.by ?? 'it ships with MeterTwin'], ['Rules', String(p.rules)], ['Examples', String(p.examples)],
      ['Before it', p.before?.length > 0 ? p.before.map((d) => html`<code title=${d}>${d.slice(0, 12)}</code> `) : null]]} />
      <details open><summary>The document</summary><pre class="document" tabindex="0" aria-label="Policy document">${textOf(policy)}</pre></details>`}</${Panel}>`;
}

/** The examples in a policy, held against it. */
export function Tests({ result }) {
  const tests = result.examples;
  const failed = tests.filter((t) => t.failures.length > 0);
  return html`<p role="status" id="tests-result"><strong class=${failed.length > 0 ? 'over' : 'within'}>${failed.length > 0 ? `✗ ${failed.length} of ${tests.length} fail` : `✓ ${plural(tests.length, 'test')} hold`}</strong></p>
    <${Table} caption="Examples in the policy" rows=${tests} empty="The policy has none." columns=${[
      { head: '', cell: (t) => (failed.includes(t) ? '✗ fails' : '✓ holds') }, { head: 'Example', scope: 'row', cell: (t) => t.name },
      { head: 'What came out otherwise', cell: (t) => t.failures.join('; ') },
      { head: 'Line', class: 'number', cell: (t) => t.line }]} />`;
}

const Mistakes = ({ of }) => ((of ?? []).length === 0 ? null : html`<ul>${of.map((m) => html`<li>Line ${m.line}, column ${m.column}: ${m.message}</li>`)}</ul>`);

/** A document that is tried: checked, tested, asked what it would have done, and only then put in force. */
function Editor({ current }) {
  const [text, setText] = useState(null);
  const [answer, setAnswer] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState('');
  const [why, setWhy] = useState('');
  const shown = text ?? textOf(current);
  const ask = async (kind, path, body, etag) => {
    setBusy(kind);
    setAnswer(null);
    setError(null);
    try {
      setAnswer({ kind, of: await post(path, body, { etag }) });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy('');
    }
  };
  const start = (name) => get(`/policies/${name}`).then((p) => setText(textOf(p)), setError);
  // A link may say what to try: the tour begins with the careless one.
  const wanted = place.value.query.policy;
  useEffect(() => {
    if (wanted === 'careless' || wanted === 'default') start(wanted);
  }, [wanted]);
  return html`<${Panel} id="editor" title="What if another policy had been in force?">
    <p class="note">Nothing here changes anything until "Put in force". A what-if plays the recorded days again on a copy.</p>
    <${Field} class="full" label="Policy document (YAML)"><textarea id="policy-text" class="document" rows="22" spellcheck=${false} value=${shown} onInput=${(e) => setText(e.currentTarget.value)}></textarea></${Field}>
    <p class="buttons"><button type="button" onClick=${() => ask('validate', '/policies/validate', { text: shown })} disabled=${busy !== ''}>Check</button>
      <button type="button" onClick=${() => ask('test', '/policies/test', { text: shown })} disabled=${busy !== ''}>Run its tests</button>
      <button type="button" id="what-if" class="primary" disabled=${!may('analyse') || busy !== ''} onClick=${() => ask('what-if', '/policies/what-if', { text: shown })}>What if?</button>
      <span class="grow"></span><button type="button" class="plain" onClick=${() => start('default')}>Start from the default</button>
      <button type="button" class="plain" onClick=${() => start('careless')}>… from a careless one</button>
      <button type="button" class="plain" onClick=${() => setText(null)}>Back to the one in force</button></p>
    ${busy && html`<p role="status">Working…</p>`}
    <${Failure} error=${error} /><${Mistakes} of=${error?.more?.errors} />
    ${answer?.kind === 'validate' && html`<p role="status" id="validate-result"><strong class=${answer.of.holds ? 'within' : 'over'}>${answer.of.holds ? '✓ It can be read' : '✗ It has mistakes'}</strong></p><${Mistakes} of=${answer.of.errors} />`}
    ${answer?.kind === 'test' && html`<${Tests} result=${answer.of} />`}
    ${answer?.kind === 'what-if' && html`<p role="status">Job <code>${answer.of.id}</code> is ${words(answer.of.state)}. <a href=${linkTo('policies', null, { part: 'jobs', job: answer.of.id })}>Follow it</a></p>`}
    ${may('approve') && html`<form class="inline" onSubmit=${(e) => { e.preventDefault(); ask('activate', '/policies/activate', { text: shown, why }, current.etag); }}>
      <${Field} label="Why put it in force"><input required value=${why} onInput=${(e) => setWhy(e.currentTarget.value)} /></${Field}>
      <button type="submit" disabled=${busy !== ''}>Put in force</button></form>`}
    ${answer?.kind === 'activate' && html`<p role="status"><strong>✓ In force from the next decision on.</strong></p>`}</${Panel}>`;
}

function Policy() {
  const load = useLoad('policy', (abort) => get('/policies/current', {}, { abort }));
  const [tests, setTests] = useState(null);
  const [error, setError] = useState(null);
  const run = () => post('/policies/test', { text: textOf(load.data) }).then(setTests, setError);
  return html`<${InForce} policy=${load.data} load=${load} />
    <${Panel} id="tests" title="Tests" actions=${html`<button type="button" id="run-tests" disabled=${!load.data || !may('analyse')} onClick=${run}>Run them</button>`}>
      <p class="note">Examples in the document itself: facts, and what must come out.</p><${Failure} error=${error} />${tests && html`<${Tests} result=${tests} />`}</${Panel}>`;
}

function WhatIf() {
  const load = useLoad('policy', (abort) => get('/policies/current', {}, { abort }));
  if (load.error) return html`<${Failure} error=${load.error} again=${load.again} />`;
  return load.data ? html`<${Editor} current=${load.data} />` : html`<p role="status">Reading the policy in force…</p>`;
}

const bodies = { policy: Policy, 'what-if': WhatIf, jobs: Jobs, covers: Covers, ledger: Ledger };

export function PoliciesScreen() {
  const part = bodies[place.value.query.part] ? place.value.query.part : 'policy';
  const Body = bodies[part];
  return html`<div class="head-row"><h1>Policies & replay</h1><nav class="views" aria-label="Parts of this screen"><ul>${parts.map(([name, text]) => html`<li>
    <a href=${linkTo('policies', null, { part: name === 'policy' ? null : name })} aria-current=${name === part ? 'page' : undefined}>${text}</a></li>`)}</ul></nav></div>
    <${Body} key=${part} />`;
}
