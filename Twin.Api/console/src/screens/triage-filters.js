import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { session } from '../api.js';
import { linkTo, setQuery } from '../place.js';
import { severityNames } from '../pure/format.js';
import { Field, Select } from '../ui/parts.js';

const desks = ['security', 'revenue_protection', 'metering_faults', 'grid'];

const views = () => [
  ['Open', {}],
  ['New', { handling: 'new' }],
  ['Mine', { assignee: session.value?.name, all: 'true' }],
  ['High and critical', { severity: 'high' }],
  ['Resolved', { handling: 'resolved', all: 'true' }],
  ['All', { all: 'true' }],
];

const same = (a, b) => JSON.stringify(Object.entries(a).filter(([, v]) => v).sort())
  === JSON.stringify(Object.entries(b).filter(([k, v]) => v && k !== 'cursor' && k !== 'sort').sort());

/** Ready-made questions; each is only a query in the address. */
export const Views = ({ query }) => html`<nav class="views" aria-label="Views"><ul>${views().map(([name, q]) => html`<li>
  <a href=${linkTo('triage', null, q)} aria-current=${same(q, query) ? 'true' : undefined}>${name}</a></li>`)}</ul></nav>`;

/** A text that goes into the address when it is done with: Enter, or leaving the field. */
export function TextFilter({ name, label, value, id, type = 'text', width }) {
  const [text, setText] = useState(value ?? '');
  useEffect(() => setText(value ?? ''), [value]);
  const apply = () => (text !== (value ?? '') ? setQuery({ [name]: text.trim(), cursor: null }) : undefined);
  return html`<${Field} label=${label}><input id=${id} type=${type} size=${width ?? 12} value=${text}
    onInput=${(e) => setText(e.currentTarget.value)} onBlur=${apply} onKeyDown=${(e) => e.key === 'Enter' && apply()} /></${Field}>`;
}

export function Filters({ query }) {
  const pick = (name) => (value) => setQuery({ [name]: value, cursor: null });
  return html`<form class="filters" role="search" aria-label="Filter cases" onSubmit=${(e) => e.preventDefault()}>
    <${TextFilter} id="search" name="text" label="Search" type="search" width="18" value=${query.text} />
    <${Select} label="Desk" value=${query.desk} options=${desks} onPick=${pick('desk')} />
    <${Select} label="Condition" value=${query.condition} options=${['ongoing', 'ended', 'no_data']} onPick=${pick('condition')} />
    <${Select} label="Handling" value=${query.handling} options=${['new', 'acknowledged', 'in_progress', 'resolved']} onPick=${(v) => setQuery({ handling: v, all: v === 'resolved' ? 'true' : query.all, cursor: null })} />
    <${Select} label="Severity from" value=${query.severity} options=${severityNames} onPick=${pick('severity')} />
    <${TextFilter} name="assignee" label="Assignee" value=${query.assignee} width="10" />
    <${TextFilter} name="feeder" label="Feeder" value=${query.feeder} width="8" />
    <${TextFilter} name="kind" label="Kind of finding" value=${query.kind} />
    <${Select} label="Order" value=${query.sort} any="newest change" options=${['severity', 'opened']} onPick=${pick('sort')} />
    <label class="check"><input type="checkbox" checked=${query.all === 'true'} onChange=${(e) => setQuery({ all: e.currentTarget.checked ? 'true' : null, cursor: null })} /> with resolved</label>
    <a class="clear" href="/triage">Clear</a>
  </form>`;
}
