import { html } from 'htm/preact';
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { may, post, session } from '../api.js';
import { openDialog } from '../frame.js';
import { count, isNever, plural, watts, words } from '../pure/format.js';
import { announce } from '../ui/announce.js';
import { Dialog, Facts, Failure, Field, Panel, Select, State, Table, Time } from '../ui/parts.js';

export const proposing = signal(false);

const rungs = ['log', 'raise_sampling', 'reattest', 'notify', 'rotate_keys', 'block_writes', 'isolate_communications',
  'limit_load', 'disconnect', 'reconnect'];

/** The acts that need the right to approve; all others are an operator's. */
const approves = ['approve', 'process', 'delete'];

const rightFor = (act) => (approves.includes(act) ? 'approve' : 'operate');

const texts = { approve: 'Approve', reject: 'Reject', cancel: 'Cancel', undo: 'Undo', process: 'Let it go on', delete: 'Delete' };

/** Why a person who may read this may not do that, before they try. */
function hurdle(act, response) {
  if (session.value?.is_local) return 'Sign in: this needs a person.';
  if (act === 'approve' && response.approvals?.some((a) => a.by === session.value?.name || a.by?.person === session.value?.name))
    return 'You have approved it; another person has to.';
  if (!may(rightFor(act))) return approves.includes(act) ? 'An approver has to.' : 'An operator has to.';
  return null;
}

const nameOf = (by) => (typeof by === 'string' ? by : by?.person) || 'the policy';

/** Asks why, and does it. */
function WhyForm({ act, busy, submit }) {
  const [why, setWhy] = useState('');
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  return html`<form class="inline" onSubmit=${(e) => { e.preventDefault(); submit(why); }}>
    <${Field} label="Why ${words(texts[act] ?? act).toLowerCase()}?"><input ref=${field} required value=${why} onInput=${(e) => setWhy(e.currentTarget.value)} /></${Field}>
    <button type="submit" class="primary" disabled=${busy}>${texts[act] ?? words(act)}</button></form>`;
}

function Acts({ response, changed }) {
  const [act, setAct] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const able = response.may ?? [];
  if (able.length === 0) return null;
  const submit = async (why) => {
    setBusy(true);
    try {
      await post(`/cases/${encodeURIComponent(response.case)}/responses/${response.number}/acts`, { act, why });
      announce(`${texts[act]}: done`);
      setAct(null);
      setError(null);
      // The form is gone; who works by keyboard goes on from the response.
      document.querySelector(`[data-response-id="${CSS.escape(response.id)}"]`)?.focus();
      changed();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const hurdles = [...new Set(able.map((a) => hurdle(a, response)).filter(Boolean))];
  return html`<div class="response-acts"><p class="buttons" role="group" aria-label="Acts on response ${response.number}">${able.map((name) => html`<button type="button" key=${name}
      data-act=${name} class=${name === 'approve' ? 'primary' : ''} disabled=${hurdle(name, response) !== null} title=${hurdle(name, response) ?? ''}
      aria-expanded=${act === name} onClick=${() => setAct(act === name ? null : name)}>${texts[name] ?? words(name)}…</button>`)}</p>
    ${hurdles.length > 0 && html`<p class="note">${hurdles.join(' ')} <button type="button" class="plain" onClick=${() => (openDialog.value = 'sign-in')}><kbd>i</kbd> Sign in as somebody else</button></p>`}
    ${act && html`<${WhyForm} key=${act} act=${act} busy=${busy} submit=${submit} />`}
    <${Failure} error=${error} /></div>`;
}

export function ResponseCard({ response: r, changed }) {
  const given = r.approvals ?? [];
  return html`<li class="response" data-response-id=${r.id} tabindex="-1">
    <p class="response-head"><strong>${words(r.rung)}${r.is_undo ? ' (undoing)' : ''}</strong> <${State} of=${r.state} />
      ${r.enforcer !== 'none' && html`<span>by ${words(r.enforcer)}</span>`}${r.watts > 0 && html`<span>${watts(r.watts)} moved</span>`}<span class="grow"></span><code>#${r.number}</code></p>
    ${r.why && html`<p>${r.why}</p>`}${r.reason && html`<p class="note">${r.reason}</p>`}
    <${Facts} class="tight" of=${[
      ['On', r.subject_name], ['Wanted by', nameOf(r.requested_by)],
      ['Approvals', r.needed > 0 ? html`${given.length} of ${r.needed}${given.map((a) => html`<br />${nameOf(a.by)}, <${Time} of=${a.at} />`)}` : 'none needed'],
      ['Proposed', html`<${Time} of=${r.proposed_at} />`], ['Due', isNever(r.due_at) ? null : html`<${Time} of=${r.due_at} />`],
      ['Ordered', isNever(r.ordered_at) ? null : html`<${Time} of=${r.ordered_at} />`], ['Ended', isNever(r.ended_at) ? null : html`<${Time} of=${r.ended_at} />`],
      ['Expires', isNever(r.expires_at) ? null : html`<${Time} of=${r.expires_at} />`], ['Undone by', r.undo_by ? words(r.undo_by) : null]]} />
    <${Acts} response=${r} changed=${changed} /></li>`;
}

export function Responses({ item, changed }) {
  const all = [...(item.responses ?? [])].reverse();
  return html`<${Panel} id="responses" title="Responses" note=${plural(all.length, 'response')} actions=${html`<button type="button" id="propose"
      disabled=${!may('operate')} onClick=${() => (proposing.value = true)}><kbd>p</kbd> Propose…</button>`}>
    ${all.length === 0 ? html`<p class="note">None. The policy sees no need to do more than record it.</p>`
      : html`<ul class="responses">${all.map((r) => html`<${ResponseCard} key=${r.id} response=${r} changed=${changed} />`)}</ul>`}
  </${Panel}>`;
}

function WouldDo({ of }) {
  const r = of.response;
  if (!r) return html`<p>Nothing: no response would be made.</p>`;
  return html`<p>${r.sentence}</p><${Facts} class="tight" of=${[['State', words(r.state)], ['Enforced by', words(r.enforcer)], ['Load moved', watts(r.watts)],
    ['Persons who must approve', count(r.needed)], ['Due', html`<${Time} of=${r.due_at} />`], ['Expires', html`<${Time} of=${r.expires_at} />`]]} />
    ${(of.guards ?? []).length > 0 && html`<${Table} caption="Budgets of the guards within an hour" rows=${of.guards} columns=${[
      { head: 'Guard', scope: 'row', cell: (g) => g.name }, { head: 'Commands', class: 'number', cell: (g) => `${count(g.commands_hour)} of ${count(g.commands_hour_most)}` },
      { head: 'Load', class: 'number', cell: (g) => `${watts(g.watts_hour)} of ${watts(g.watts_hour_most)}` }]} />`}`;
}

/** First what it would do and when; only then can it be proposed. */
export function ProposeDialog({ item, changed }) {
  const [rung, setRung] = useState('');
  const [why, setWhy] = useState('');
  const [preview, setPreview] = useState(null);
  const [error, setError] = useState(null);
  if (!proposing.value) return null;
  const close = () => {
    proposing.value = false;
    setPreview(null);
    setError(null);
  };
  const ask = async (dry) => {
    try {
      const answer = await post(`/cases/${encodeURIComponent(item.id)}/responses`, { rung, why, dry_run: dry });
      setError(null);
      if (dry) return setPreview(answer);
      close();
      announce('Proposed');
      changed();
    } catch (problem) {
      setError(problem);
    }
    return undefined;
  };
  return html`<${Dialog} id="propose-dialog" title="Propose a response" onClose=${close}><form class="stack" onSubmit=${(e) => {
    e.preventDefault();
    ask(preview === null);
  }}>
    <${Select} label="Response, mildest first" value=${rung} any="choose" options=${rungs} onPick=${(v) => { setRung(v); setPreview(null); }} />
    <${Field} label="Why"><textarea rows="3" required value=${why} onInput=${(e) => setWhy(e.currentTarget.value)}></textarea></${Field}>
    ${preview && html`<div class="preview" role="status"><strong>What it would do</strong><${WouldDo} of=${preview} /></div>`}
    ${!may('operate') && html`<p class="note">An operator has to propose.</p>`}
    <${Failure} error=${error} />
    <p class="buttons"><button type="submit" class="primary" disabled=${!rung || !may('operate')}>${preview ? 'Propose' : 'Try it (nothing is sent)'}</button>
      <button type="button" onClick=${close}>Cancel</button></p></form></${Dialog}>`;
}
