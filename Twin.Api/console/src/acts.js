import { html } from 'htm/preact';
import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { may, post, put, session } from './api.js';
import { plural, rfc, seconds, words } from './pure/format.js';
import { status } from './live.js';
import { announce } from './ui/announce.js';
import { Dialog, Failure, Field, Select } from './ui/parts.js';

export const dispositions = [
  ['true', 'True: it is what the case says'],
  ['benign', 'Benign: it happened, and is harmless'],
  ['false', 'False alarm: it did not happen'],
  ['duplicate', 'Duplicate of another case'],
  ['maintenance', 'Maintenance: our own work'],
];

/** The act that a dialog asks for: { kind, cases, filter, done }; null when none is open. */
export const asked = signal(null);

export const actOn = (id, act, etag) => post(`/cases/${encodeURIComponent(id)}/acts`, act, { etag });

/** Acknowledging takes the case on: who does it is who has it. */
export const acknowledgement = () => ({ act: 'acknowledge', assignee: session.value?.name });

export const takesCase = () => session.value?.rights?.includes('analyse');

export const notAllowed = () => (session.value?.is_local
  ? 'Sign in to work on cases: nobody is signed in at this machine.' : 'Your role may not do this.');

const dialogProps = (id, title) => ({ id, title, onClose: () => (asked.value = null) });

/** Does something, and closes the dialog when it went well. */
function useSubmit(work) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (e) => {
    e?.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const done = await work();
      const after = asked.value?.done;
      asked.value = null;
      after?.(done);
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return { submit, error, busy };
}

const buttons = (busy, text) => html`<p class="buttons"><button type="submit" class="primary" disabled=${busy}>${text}</button>
  <button type="button" onClick=${() => (asked.value = null)}>Cancel</button></p>`;

function Resolve({ ask }) {
  const [disposition, setDisposition] = useState('');
  const [text, setText] = useState('');
  const one = ask.cases.length === 1;
  const { submit, error, busy } = useSubmit(() => actOn(ask.cases[0].id, { act: 'resolve', disposition, text }));
  return html`<${Dialog} ...${dialogProps('resolve', 'Resolve')}><form class="stack" onSubmit=${one ? submit : (e) => {
    e.preventDefault();
    asked.value = { ...ask, kind: 'bulk', act: { act: 'resolve', disposition, text } };
  }}>
    <p>${one ? ask.cases[0].sentence : plural(ask.cases.length, 'case')}</p>
    <fieldset><legend>What it was</legend>${dispositions.map(([name, says]) => html`<label class="choice">
      <input type="radio" name="disposition" value=${name} required checked=${disposition === name} onChange=${() => setDisposition(name)} /> ${says}</label>`)}</fieldset>
    <${Field} label="Note" hint="What convinced you; it stands in the ledger."><textarea rows="3" name="note" required value=${text} onInput=${(e) => setText(e.currentTarget.value)}></textarea></${Field}>
    <${Failure} error=${error} />${buttons(busy, one ? 'Resolve' : 'Preview')}</form></${Dialog}>`;
}

function Comment({ ask }) {
  const [text, setText] = useState('');
  const { submit, error, busy } = useSubmit(() => actOn(ask.cases[0].id, { act: 'comment', text }));
  return html`<${Dialog} ...${dialogProps('comment', 'Comment')}><form class="stack" onSubmit=${submit}>
    <${Field} label="Comment"><textarea rows="4" required value=${text} onInput=${(e) => setText(e.currentTarget.value)}></textarea></${Field}>
    <${Failure} error=${error} />${buttons(busy, 'Add comment')}</form></${Dialog}>`;
}

const lengths = [['1', 'a day'], ['7', 'a week'], ['30', '30 days'], ['90', '90 days, the most there is']];

/** Opens no cases for a subject or place until a time. All of it is still recorded; the preview tells what it hides. */
function Suppress({ ask }) {
  const subject = ask.cases[0];
  const [days, setDays] = useState('7');
  const [why, setWhy] = useState('');
  const [preview, setPreview] = useState(null);
  const from = seconds(status.value?.now) ?? Date.now() / 1000;
  const body = () => ({ subject: subject.subject.replace(/^meter:/, ''), to: rfc(from + Number(days) * 86_400), why });
  const name = `case-${subject.id}`;
  const { submit, error, busy } = useSubmit(() => put(`/suppressions/${encodeURIComponent(name)}`, body()));
  const [unseen, setUnseen] = useState(null);
  const see = () => post('/suppressions/preview', body()).then((p) => (setUnseen(null), setPreview(p)), setUnseen);
  return html`<${Dialog} ...${dialogProps('suppress', 'Suppress')}><form class="stack" onSubmit=${submit}>
    <p>No case opens about <strong>${subject.subject_name}</strong> while this holds. Everything is still recorded.</p>
    <${Select} label="For" value=${days} any=${null} options=${lengths} onPick=${(v) => { setDays(v); setPreview(null); }} />
    <${Field} label="Why"><input required value=${why} onInput=${(e) => setWhy(e.currentTarget.value)} /></${Field}>
    ${preview && html`<${Preview} of=${preview} />`}
    ${!may('operate') && html`<p class="note">An operator has to suppress; a preview is everybody's.</p>`}<${Failure} error=${error ?? unseen} />
    <p class="buttons"><button type="button" onClick=${see}>Preview</button></p>${buttons(busy || !may('operate'), busy ? 'Working…' : 'Suppress')}</form></${Dialog}>`;
}

const Preview = ({ of }) => {
  return html`<div class="preview" role="status"><strong>It would have hidden ${of.complete ? '' : 'at least '}${plural(of.findings, 'finding')} in as long a time before now.</strong>
    ${(of.first ?? []).length > 0 && html`<ul>${of.first.slice(0, 8).map((f) => html`<li>${words(f.kind)}: ${f.sentence}</li>`)}</ul>`}</div>`;
};

/** One act over many cases: first what it would do, then the doing. Cases in another state are skipped and named. */
function Bulk({ ask }) {
  const body = { filter: ask.filter ?? { ids: ask.cases.map((c) => c.id) }, act: ask.act };
  const [preview, setPreview] = useState(null);
  const [failed, setFailed] = useState(null);
  const { submit, error, busy } = useSubmit(async () => {
    const done = await post('/cases/bulk', body);
    announce(`${plural(done.done, 'case')} changed, ${done.skipped?.length ?? 0} skipped`);
    return done;
  });
  useEffect(() => {
    post('/cases/bulk', { ...body, dry_run: true }).then(setPreview, setFailed);
  }, []);
  const skipped = preview?.skipped ?? [];
  return html`<${Dialog} ...${dialogProps('bulk', `${words(ask.act.act)}: preview`)}><form class="stack" onSubmit=${submit}>
    ${!preview && !failed && html`<p role="status">Looking what it would do…</p>`}
    ${preview && html`<div class="preview" role="status"><p><strong>${plural(preview.done ?? preview.matched - skipped.length, 'case')} would change</strong>,
      ${skipped.length} of ${preview.matched} would be skipped.</p>
      ${skipped.length > 0 && html`<ul>${skipped.slice(0, 8).map((s) => html`<li><code>${s.id}</code>: ${s.reason}</li>`)}</ul>`}
      ${skipped.length > 8 && html`<p class="note">and ${skipped.length - 8} more</p>`}</div>`}
    <${Failure} error=${error ?? failed} />${buttons(busy || !preview, 'Do it')}</form></${Dialog}>`;
}

const kinds = { resolve: Resolve, comment: Comment, suppress: Suppress, bulk: Bulk };

/** The dialog that is asked for, if any. */
export function ActDialog() {
  const ask = asked.value;
  if (!ask) return null;
  const Kind = kinds[ask.kind];
  return html`<${Kind} key=${ask.kind} ask=${ask} />`;
}
