import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { get, may, post, remove, sendFile } from '../api.js';
import { linkTo, place } from '../place.js';
import { any, percent, span, words } from '../pure/format.js';
import { announce } from '../ui/announce.js';
import { useLoad } from '../ui/load.js';
import { Facts, Failure, Field, Panel, State, Table, Time } from '../ui/parts.js';

const pollMs = 1000;

export const isOver = (job) => ['done', 'failed', 'cancelled'].includes(job.state);

function Start({ started }) {
  const [error, setError] = useState(null);
  const [file, setFile] = useState(null);
  const done = (job) => (setError(null), started(job));
  const verify = () => post('/jobs', { kind: 'verify' }).then(done, setError);
  const replay = (e) => {
    e.preventDefault();
    sendFile('/jobs', file, file.name.endsWith('.csv') ? 'text/csv' : 'application/x-ndjson').then(done, setError);
  };
  return html`<${Panel} id="start" title="Start"><p class="note">Jobs work on a copy of the data; the service goes on. One runs at a time, the others wait.</p>
    <p class="buttons"><button type="button" data-job="verify" disabled=${!may('analyse')} onClick=${verify}>Verify: rebuild everything, and compare the digest</button>
      <a class="button" href=${linkTo('policies', null, { part: 'what-if' })}>What if another policy had been in force…</a></p>
    <form class="inline" onSubmit=${replay}><${Field} label="Replay a recording (CSV or NDJSON)"><input type="file" id="recording" accept=".csv,.ndjson" required onChange=${(e) => setFile(e.currentTarget.files[0] ?? null)} /></${Field}>
      <button type="submit" data-job="replay" disabled=${!may('analyse') || file === null}>Replay</button></form><${Failure} error=${error} /></${Panel}>`;
}

const Progress = ({ job }) => html`<progress max="1" value=${job.state === 'done' ? 1 : job.progress ?? 0} aria-label="Progress of job ${job.id}"></progress>
  ${percent(Math.floor((job.progress ?? 0) * 100) / 100)}${job.eta_seconds && !isOver(job) ? `, ${span(job.eta_seconds)} left` : ''}`;

/** Whatever a job found; tables where it answers lists. */
function Result({ of }) {
  if (of === null || of === undefined) return null;
  if (typeof of !== 'object') return html`<p>${any(of)}</p>`;
  const plain = Object.entries(of).filter(([, v]) => typeof v !== 'object' || v === null);
  const objects = Object.entries(of).filter(([, v]) => v !== null && typeof v === 'object' && !Array.isArray(v));
  const lists = Object.entries(of).filter(([, v]) => Array.isArray(v));
  return html`<${Facts} of=${plain.map(([k, v]) => [words(k), any(v)])} />
    ${objects.map(([k, v]) => html`<h3>${words(k)}</h3><${Facts} of=${Object.entries(v).map(([n, x]) => [words(n), any(x)])} />`)}
    ${lists.map(([k, v]) => (v.length > 0 && typeof v[0] === 'object' ? html`<${Table} caption=${words(k)} rows=${v.slice(0, 100)} columns=${Object.keys(v[0]).map((n, i) => ({ head: words(n), scope: i === 0 ? 'row' : null, cell: (r) => any(r[n]) }))} />`
      : html`<h3>${words(k)}</h3><ul>${v.slice(0, 100).map((x) => html`<li>${any(x)}</li>`)}</ul>`))}`;
}

function Followed({ id, changed }) {
  const load = useLoad(`job${id}`, (abort) => get(`/jobs/${encodeURIComponent(id)}`, {}, { abort }));
  const [error, setError] = useState(null);
  const job = load.data;
  useEffect(() => {
    if (!job) return undefined;
    if (isOver(job)) {
      announce(`The job ${words(job.kind)} is ${words(job.state)}`);
      changed();
      return undefined;
    }
    const timer = setTimeout(load.again, pollMs);
    return () => clearTimeout(timer);
  }, [job]);
  return html`<${Panel} id="job" title=${job ? `Job ${words(job.kind)}` : 'Job'} note=${job && html`<${State} of=${job.state} />`} actions=${job && !isOver(job) && html`<button type="button" onClick=${() => remove(`/jobs/${encodeURIComponent(id)}`).then(load.again, setError)}>Cancel</button>`}>
    <${Failure} error=${error ?? load.error} again=${load.again} />
    ${job && html`<p><${Progress} job=${job} /></p><p>${job.message}</p><${Result} of=${job.result} />`}</${Panel}>`;
}

export function Jobs() {
  const { query } = place.value;
  const load = useLoad('jobs', (abort) => get('/jobs', {}, { abort }));
  const [started, setStarted] = useState(null);
  const id = query.job ?? started;
  return html`<${Start} started=${(job) => { setStarted(job.id); load.again(); }} />
    ${id && html`<${Followed} key=${id} id=${id} changed=${load.again} />`}
    <${Panel} id="jobs" title="Jobs" actions=${html`<button type="button" class="plain" onClick=${load.again}>Refresh</button>`}><${Failure} error=${load.error} again=${load.again} />
      <${Table} caption="Jobs, newest first" hidden rows=${load.data?.jobs ?? []} keyOf=${(j) => j.id} empty="None so far." columns=${[
        { head: 'Job', scope: 'row', cell: (j) => html`<a href=${linkTo('policies', null, { part: 'jobs', job: j.id })}>${words(j.kind)}</a>` },
        { head: 'State', cell: (j) => html`<${State} of=${j.state} />` }, { head: 'Progress', cell: (j) => html`<${Progress} job=${j} />` },
        { head: 'By', cell: (j) => j.by }, { head: 'Queued', cell: (j) => html`<${Time} of=${j.queued_at} />` }, { head: 'Says', cell: (j) => j.message }]} /></${Panel}>`;
}
