import { signal } from '@preact/signals';
import { get, Problem, session } from './api.js';
import { EventReader, wait } from './pure/sse.js';
import { nothing, withEvent } from './pure/news.js';

/** The service's status, as its stream or its answer told last. */
export const status = signal(null);

/** How the stream does: "connecting", "live", "polling" (the service has no stream),
 * "broken", "waiting" (for somebody to sign in). */
export const connection = signal({ state: 'waiting', since: Date.now(), tries: 0 });

/** What changed since the page was last refreshed. */
export const news = signal(nothing);

const pollMs = 5000;

let lastId = null;
let ending = null;

export const clearNews = () => (news.value = nothing);

function take({ id, event, data }) {
  if (id !== null) lastId = id;
  const body = JSON.parse(data);
  if (event === 'status') {
    status.value = { ...status.value, ...body };
    return;
  }
  const told = { ...body, kind: event };
  news.value = withEvent(news.value, told);
  // The freeze and the policy in force are told by the status as it is asked for.
  if (event === 'act' || event === 'policy') askStatus();
}

async function listen(abort) {
  const headers = { Accept: 'text/event-stream' };
  if (lastId !== null) headers['Last-Event-ID'] = lastId;
  const response = await fetch('/api/v1/events', { headers, signal: abort });
  if (!response.ok) throw new Problem(response.status, {});
  connection.value = { state: 'live', since: Date.now(), tries: 0 };
  const reader = new EventReader(take);
  const decoder = new TextDecoder();
  for (const body = response.body.getReader(); ;) {
    const { done, value } = await body.read();
    if (done) return;
    reader.push(decoder.decode(value, { stream: true }));
  }
}

const pause = (ms, abort) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  abort.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
});

/** Asks for the status once; what a stream would tell comes with it. */
export async function askStatus() {
  try {
    status.value = { ...status.value, ...await get('/status') };
    return true;
  } catch {
    return false;
  }
}

/** Nobody is told anything before somebody has signed in, so nothing is asked either. */
const someone = () => new Promise((resolve) => {
  const end = session.subscribe((s) => s && queueMicrotask(() => (end(), resolve())));
});

/** Follows the stream for as long as the page is open, over restarts of the service. */
export async function follow() {
  for (let tries = 0; ;) {
    if (!session.value) {
      connection.value = { state: 'waiting', since: Date.now(), tries: 0 };
      await someone();
      askStatus();
    }
    const abort = new AbortController();
    ending = abort;
    let problem = null;
    try {
      await listen(abort.signal);
    } catch (error) {
      problem = error;
    }
    if (abort.signal.aborted) continue;
    if (connection.value.state === 'live') tries = 0;
    // The service has another ledger than the one that was followed: a new beginning.
    if (problem?.status === 400) lastId = null;
    const isPolling = problem?.status === 404;
    const reached = await askStatus();
    connection.value = { state: isPolling && reached ? 'polling' : 'broken', since: Date.now(), tries };
    await pause(isPolling ? pollMs : wait(tries++), abort.signal);
    if (!isPolling) connection.value = { ...connection.value, state: 'connecting' };
  }
}

/** Begins the stream anew: somebody else is signed in, and may see other things. */
export const restart = () => ending?.abort();

let seen;
session.subscribe((s) => {
  if (s === undefined) return;
  const name = s?.name ?? null;
  if (seen !== undefined && name !== seen) restart();
  seen = name;
});
