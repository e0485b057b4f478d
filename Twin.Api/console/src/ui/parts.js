import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';
import { none, severities, time, words } from '../pure/format.js';
import { linkTo } from '../place.js';

export const Severity = ({ of }) => html`<span class="severity ${of}"><span aria-hidden="true">${severities[of] ?? '·'}</span> ${of}</span>`;

/** The machine's axis: whether it still goes on. */
export const Condition = ({ of }) => html`<span class="tag condition-${of}">${words(of)}</span>`;

/** The analyst's axis. */
export const Handling = ({ of, disposition }) => html`<span class="tag handling-${of}">${words(of)}${
  of === 'resolved' && disposition && disposition !== 'none' ? `: ${words(disposition)}` : ''}</span>`;

export const State = ({ of }) => html`<span class="tag state-${of}">${words(of)}</span>`;

export const Time = ({ of }) => html`<time datetime=${of ?? ''}>${time(of)}</time>`;

export function Failure({ error, again }) {
  if (!error) return null;
  return html`<div class="failure" role="alert"><strong>${error.message}</strong> ${error.hint}
    ${again && html` <button type="button" onClick=${again}>Try again</button>`}</div>`;
}

/** A heading with what it holds; a section of the page. */
export function Panel({ id, title, level = 2, note, children, actions, class: name = '' }) {
  const Heading = `h${level}`;
  return html`<section class="panel ${name}" aria-labelledby=${id}>
    <header class="panel-head"><${Heading} id=${id}>${title}</${Heading}>
      ${note && html`<span class="note">${note}</span>`}<span class="grow"></span>${actions}</header>
    ${children}
  </section>`;
}

/** A native table. Columns: { head, cell(row), class, scope }. */
export function Table({ caption, hidden = false, tall = false, columns, rows, keyOf, empty = 'None.', scroll = true, rowProps }) {
  const table = html`<table>
    <caption class=${hidden ? 'unseen' : ''}>${caption}</caption>
    <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.class}>${c.head}</th>`)}</tr></thead>
    <tbody>${rows.length === 0 ? html`<tr><td colspan=${columns.length} class="empty">${empty}</td></tr>`
      : rows.map((row, i) => html`<tr key=${keyOf ? keyOf(row) : i} ...${rowProps ? rowProps(row) : {}}>${columns.map((c) =>
        c.scope === 'row' ? html`<th scope="row" class=${c.class}>${c.cell(row)}</th>`
          : html`<td class=${c.class}>${c.cell(row)}</td>`)}</tr>`)}</tbody>
  </table>`;
  // A table wider than its place scrolls by itself, and can then be reached with the keyboard.
  return scroll ? html`<div class="scroll ${tall ? 'tall' : ''}" role="group" aria-label=${caption} tabindex="0">${table}</div>` : table;
}

/** Names and values: pairs of [name, what]. Pairs whose value is null are left out. */
export const Facts = ({ of, class: name = '' }) => html`<dl class="facts ${name}">${of.filter(([, v]) => v !== null && v !== undefined)
  .map(([k, v]) => html`<div><dt>${k}</dt><dd>${v === '' ? none : v}</dd></div>`)}</dl>`;

export function Dialog({ title, onClose, children, wide = false, id = 'dialog' }) {
  const box = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    box.current.showModal();
    // Into the first field, not onto the cross that closes it.
    box.current.querySelector('form input, form select, form textarea')?.focus();
    return () => before instanceof HTMLElement && before.isConnected && before.focus();
  }, []);
  return html`<dialog ref=${box} id=${id} class=${wide ? 'wide' : ''} aria-labelledby="${id}-title"
    onCancel=${(e) => { e.preventDefault(); onClose(); }}>
    <header class="panel-head"><h2 id="${id}-title">${title}</h2><span class="grow"></span>
      <button type="button" class="plain" aria-label="Close" onClick=${onClose}>✕</button></header>
    ${children}
  </dialog>`;
}

/** A label above its field; the field is the child. */
export const Field = ({ label, hint, children, class: name = '' }) => html`<label class="field ${name}">
  <span>${label}</span>${children}${hint && html`<small>${hint}</small>`}</label>`;

export const Select = ({ label, value, options, onPick, id, any: anyText = 'any' }) => html`<${Field} label=${label}>
  <select id=${id} value=${value ?? ''} onChange=${(e) => onPick(e.currentTarget.value)}>
    ${anyText !== null && html`<option value="">${anyText}</option>`}
    ${options.map((o) => (Array.isArray(o) ? html`<option value=${o[0]}>${o[1]}</option>`
      : html`<option value=${o}>${words(o)}</option>`))}
  </select></${Field}>`;

export const MeterLink = ({ id, name, children }) => html`<a class="name" href=${linkTo('meter', id)}>${children ?? name ?? id}</a>`;

export const CaseLink = ({ id, children }) => html`<a href=${linkTo('case', id)}>${children ?? id}</a>`;

/** The subject of a case or finding: a meter leads to its page, a feeder to its meters. */
export function Subject({ subject, name }) {
  const [kind, id] = (subject ?? '').split(':');
  if (kind === 'meter') return html`<${MeterLink} id=${id} name=${name || id} />`;
  if (kind === 'feeder' && name) return html`<a href=${linkTo('meters', null, { feeder: name })}>feeder ${name}</a>`;
  return name ? `${words(kind)} ${name}` : words(subject);
}
