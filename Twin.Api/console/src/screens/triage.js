import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, session } from '../api.js';
import { ActDialog, acknowledgement, actOn, asked, notAllowed, takesCase } from '../acts.js';
import { onKeys } from '../keyboard.js';
import { clearNews, news, status } from '../live.js';
import { go, linkTo, place } from '../place.js';
import { age, count, plural, time, words } from '../pure/format.js';
import { isNews, sentence } from '../pure/news.js';
import { cursorOf, picked } from '../pure/route.js';
import { announce } from '../ui/announce.js';
import { useLoad } from '../ui/load.js';
import { Condition, Failure, Handling, Severity, Subject } from '../ui/parts.js';
import { Filters, Views } from './triage-filters.js';

export const triageTitle = () => 'Triage';

const pageSize = 50;
export const asks = ['desk', 'condition', 'handling', 'disposition', 'severity', 'assignee', 'subject', 'feeder', 'kind',
  'text', 'all', 'sort', 'known_at'];

/** What there is of news: a bar that takes no room away from rows, and says so once to who listens. */
function NewsBar({ refresh }) {
  const text = sentence(news.value);
  useEffect(() => {
    if (text) announce(`${text}: press . to refresh`);
  }, [text]);
  return html`<div class="news ${text ? 'some' : ''}" id="news">${text
    ? html`<button type="button" onClick=${refresh}>${text}: press <kbd>.</kbd> to refresh</button>` : html`<span>Up to date</span>`}</div>`;
}

function Row({ item, at, chosen, current, onChoose, onFocus, now, isNews }) {
  return html`<tr data-case-id=${item.id} class=${[chosen ? 'chosen' : '', current ? 'current' : '', item.severity].join(' ')} onFocusIn=${onFocus}>
    <td class="pick"><input type="checkbox" checked=${chosen} aria-label="Select case ${item.subject_name}: ${item.sentence}" onChange=${onChoose} /></td>
    <td class="sev"><${Severity} of=${item.severity} />${isNews && html`<span class="changed" title="Changed since this page was read"> changed</span>`}</td>
    <th scope="row" class="what"><a class="row-link" id="case-row-${at}" href=${linkTo('case', item.id)}>${item.sentence}</a>
      <small><${Subject} subject=${item.subject} name=${item.subject_name} /> · ${words(item.desk)}${item.members > 1 ? ` · ${plural(item.members, 'meter')}` : ''}${
        item.cause ? html` · <code>${item.cause}</code>` : ''}</small></th>
    <td><${Condition} of=${item.condition} /></td>
    <td><${Handling} of=${item.handling} disposition=${item.disposition} /></td>
    <td class="number">${count(item.finding_count)}</td>
    <td class="number" title="${time(item.aware_at)} UTC">${age(item.aware_at, now)}</td>
    <td>${item.assignee || html`<span class="nobody">nobody</span>`}</td>
    <td>${item.rung && item.rung !== 'log' ? words(item.rung) : ''}${item.pending > 0 ? html` <strong class="pending">${plural(item.pending, 'approval')} pending</strong>` : ''}</td>
  </tr>`;
}

const heads = [['', 'pick'], ['Severity', 'sev'], ['Case', 'what'], ['Condition'], ['Handling'], ['Findings', 'number'],
  ['Age', 'number'], ['Assignee'], ['Response']];

export function TriageScreen() {
  const query = place.value.query;
  const ask = { ...picked(query, asks), limit: pageSize, cursor: query.cursor };
  const load = useLoad(JSON.stringify(ask), (abort) => get('/cases', ask, { abort }));
  const cases = load.data?.cases ?? [];
  const [chosen, setChosen] = useState(() => new Map());
  const [error, setError] = useState(null);
  const at = useRef(0);
  const [, redraw] = useState(0);
  const now = status.value?.now ?? new Date().toISOString();

  const refresh = () => {
    clearNews();
    load.again();
  };
  useEffect(clearNews, []);
  // What a person did is shown where it stands; what others did waits for a refresh.
  const replace = (detail) => load.put({ ...load.data, cases: cases.map((c) => (c.id === detail.id ? { ...c, ...detail } : c)) });
  const current = () => cases[Math.min(at.current, cases.length - 1)];
  const targets = () => (chosen.size > 0 ? [...chosen.values()] : current() ? [current()] : []);
  const focus = (n) => {
    at.current = Math.max(0, Math.min(cases.length - 1, n));
    document.getElementById(`case-row-${at.current}`)?.focus();
    redraw((x) => x + 1);
  };
  const choose = (item) => setChosen((before) => {
    const after = new Map(before);
    if (!after.delete(item.id)) after.set(item.id, item);
    return after;
  });
  const done = () => {
    setChosen(new Map());
    refresh();
  };
  const begin = (kind, act) => {
    if (!takesCase()) return setError({ message: notAllowed(), hint: '' });
    setError(null);
    const cases = targets();
    if (cases.length === 0) return undefined;
    if (kind === 'acknowledge' && cases.length === 1)
      return actOn(cases[0].id, acknowledgement(), cases[0].etag).then((d) => {
        replace(d);
        announce(`Acknowledged, assigned to ${session.value.name}`);
      }, setError);
    asked.value = { kind: kind === 'acknowledge' ? 'bulk' : kind, act: act ?? acknowledgement(), cases,
      done: cases.length === 1 ? (d) => (d?.id ? replace(d) : refresh()) : done };
    return undefined;
  };
  const keys = useRef({});
  keys.current = {
    j: () => focus(document.activeElement?.classList.contains('row-link') ? at.current + 1 : at.current),
    k: () => focus(at.current - 1),
    Enter: () => current() && go(linkTo('case', current().id)),
    x: () => current() && choose(current()),
    a: () => begin('acknowledge'),
    r: () => begin('resolve'),
    s: () => begin('suppress'),
    '.': refresh,
  };
  useEffect(() => onKeys(Object.fromEntries(Object.keys(keys.current).map((k) => [k, (e) => keys.current[k](e)]))), []);

  const next = cursorOf(load.data?.next);
  const total = load.data?.total;
  return html`<div class="head-row"><h1>Triage</h1><${Views} query=${query} /><span class="grow"></span><${NewsBar} refresh=${refresh} /></div>
    <${Filters} query=${query} />
    <${Failure} error=${error ?? load.error} again=${load.error && load.again} />
    <div class="bulk" role="group" aria-label="Acts on the selected cases">
      <span id="chosen">${chosen.size > 0 ? `${plural(chosen.size, 'case')} selected` : 'The current case'}</span>
      <button type="button" onClick=${() => begin('acknowledge')}><kbd>a</kbd> Acknowledge</button>
      <button type="button" onClick=${() => begin('resolve')}><kbd>r</kbd> Resolve…</button>
      ${chosen.size <= 1 && html`<button type="button" onClick=${() => begin('suppress')}><kbd>s</kbd> Suppress…</button>`}
      ${chosen.size > 0 && html`<button type="button" class="plain" onClick=${() => setChosen(new Map())}>Clear the selection</button>`}
      <span class="grow"></span>
      <span class="note">${total === undefined || total === null ? plural(cases.length, 'case') : `${count(cases.length)} of ${plural(total, 'case')}`}</span>
      ${total > cases.length && takesCase() && html`<button type="button" class="plain" onClick=${() => (asked.value = { kind: 'bulk',
        act: acknowledgement(), cases: [], filter: { ...picked(query, asks.filter((n) => n !== 'sort' && n !== 'known_at')), all: query.all === 'true' }, done })}>Acknowledge all that match…</button>`}
    </div>
    <div class="scroll wide-table" role="group" aria-label="Cases" tabindex="0"><table id="cases" aria-busy=${load.busy}>
      <caption class="unseen">Cases${query.handling ? `, ${words(query.handling)}` : ''}, one row each</caption>
      <thead><tr>${heads.map(([name, c]) => (name === '' ? html`<td class=${c}><span class="unseen">Select</span></td>` : html`<th scope="col" class=${c}>${name}</th>`))}</tr></thead>
      <tbody>${cases.map((item, i) => html`<${Row} key=${item.id} item=${item} at=${i} now=${now} chosen=${chosen.has(item.id)}
        current=${i === at.current} isNews=${isNews(news.value, item.id)} onChoose=${() => choose(item)} onFocus=${() => {
          at.current = i;
          redraw((x) => x + 1);
        }} />`)}
      ${cases.length === 0 && !load.busy && html`<tr><td colspan=${heads.length} class="empty">No case matches. <a href="/triage?all=true">All cases</a></td></tr>`}</tbody>
    </table></div>
    <nav class="pages" aria-label="Pages">
      ${query.cursor && html`<button type="button" onClick=${() => history.back()}>← Page before</button>`}
      ${next && html`<a class="button" href=${linkTo('triage', null, { ...query, cursor: next })}>Next page →</a>`}
    </nav>
    <${ActDialog} />`;
}
