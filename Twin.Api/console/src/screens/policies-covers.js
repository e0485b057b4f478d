import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { get, may, put, remove } from '../api.js';
import { askStatus, status } from '../live.js';
import { words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { Failure, Field, Panel, Table, Time } from '../ui/parts.js';

/** Holds all responses back, or lets them go again; the second takes an approver. */
function Freeze() {
  const frozen = status.value?.frozen === true;
  const [why, setWhy] = useState('');
  const [error, setError] = useState(null);
  const right = frozen ? 'approve' : 'operate';
  const submit = (e) => {
    e.preventDefault();
    put('/freeze', { frozen: !frozen, why }).then(() => (setError(null), setWhy(''), askStatus()), setError);
  };
  return html`<${Panel} id="freeze" title="Freeze" note=${frozen ? 'frozen: nothing goes out' : 'not frozen'}>
    <form class="inline" onSubmit=${submit}><${Field} label="Why"><input required value=${why} onInput=${(e) => setWhy(e.currentTarget.value)} /></${Field}>
      <button type="submit" disabled=${!may(right)}>${frozen ? 'End the freeze' : 'Hold every response back'}</button></form>
    <p class="note">${frozen ? 'Two approvers have to end it.' : 'All that blocks or moves load stops at once. Two approvers have to end it.'}${!may(right) ? ' Your role may not.' : ''}</p><${Failure} error=${error} /></${Panel}>`;
}

function CoverList({ path, member, title, id }) {
  const load = useLoad(path, (abort) => get(path, {}, { abort }));
  const [error, setError] = useState(null);
  const all = load.data?.[member] ?? [];
  const end = (c) => remove(`${path}/${encodeURIComponent(c.id)}`, undefined, { etag: c.etag }).then(() => (setError(null), load.again()), setError);
  return html`<${Panel} id=${id} title=${title}><${Failure} error=${error ?? load.error} again=${load.error && load.again} />
    <${Table} caption=${title} hidden rows=${all} keyOf=${(c) => c.id} empty="None is in force." columns=${[
      { head: 'Name', scope: 'row', cell: (c) => c.id },
      { head: 'Covers', cell: (c) => c.subject ?? (c.place || 'everywhere') },
      { head: 'Kinds', cell: (c) => c.kinds.map(words).join(', ') || 'all' },
      { head: 'From', cell: (c) => html`<${Time} of=${c.from} />` }, { head: 'To', cell: (c) => html`<${Time} of=${c.to} />` },
      { head: 'Owner', cell: (c) => c.owner },
      { head: 'End it', cell: (c) => html`<button type="button" disabled=${!may('operate')} aria-label="End now: ${c.id}" onClick=${() => end(c)}>End now</button>` }]} /></${Panel}>`;
}

export const Covers = () => html`<${Freeze} />
  <${CoverList} id="suppressions" title="Suppressions" path="/suppressions" member="suppressions" />
  <${CoverList} id="planned-work" title="Planned work" path="/planned-work" member="planned_work" />
  <p class="note">A suppression opens no cases; everything is still recorded and can be found. Begin one on a case with <kbd>s</kbd>.</p>`;
