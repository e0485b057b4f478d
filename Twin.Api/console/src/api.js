import { signal } from '@preact/signals';

/** Who is signed in; undefined before it is known, null for nobody. */
export const session = signal(undefined);

/** Where the data come from: known before anybody has signed in. */
export const mode = signal(null);

/** Why load curves are read, told once a session; it goes with every request for one. */
export const purpose = signal(sessionStorage.getItem('purpose') ?? '');

export function setPurpose(text) {
  purpose.value = text;
  sessionStorage.setItem('purpose', text);
}

/** A problem as the service tells it: code is stable, hint says what to do. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The service answered ${status}.`);
    this.status = status;
    this.code = body.code ?? '';
    this.hint = body.hint ?? '';
    this.more = body;
  }
}

const base = '/api/v1';

/** Names a command, so that one sent twice is done once. */
function commandName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export function urlOf(path, query) {
  const kept = Object.entries(query ?? {}).filter(([, v]) => v !== null && v !== undefined && v !== '');
  const search = kept.length > 0 ? `?${new URLSearchParams(kept)}` : '';
  return (path.startsWith(base) || path.startsWith('/health') ? path : base + path) + search;
}

async function send(method, path, { query, body, file, type, abort, etag, withPurpose } = {}) {
  const headers = { Accept: 'application/json' };
  if (withPurpose && purpose.value) headers['MeterTwin-Purpose'] = purpose.value;
  if (etag) headers['If-Match'] = `"${etag}"`;
  if (method !== 'GET') headers['Idempotency-Key'] = commandName();
  if (file) headers['Content-Type'] = type;
  else if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(urlOf(path, query), { method, headers, signal: abort,
      body: file ?? (body === undefined ? undefined : JSON.stringify(body)) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { detail: 'The service does not answer.', hint: 'Is it running? It is tried again by itself.',
      code: 'no_answer' });
  }
  const text = await response.text();
  const answer = parsed(text);
  if (response.ok) return answer;
  // A credential that ended meanwhile: whoever sits here is nobody now.
  if (response.status === 401 && path !== '/session') refreshSession();
  throw new Problem(response.status, answer ?? {});
}

function parsed(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

export const get = (path, query, options) => send('GET', path, { query, ...options });
export const post = (path, body, options) => send('POST', path, { body, ...options });
export const sendFile = (path, file, type) => send('POST', path, { file, type });
export const put = (path, body, options) => send('PUT', path, { body, ...options });
export const remove = (path, body, options) => send('DELETE', path, { body, ...options });

let asking = null;

export function refreshSession() {
  // While no key exists, whoever is at this machine may read, without a name; later, nobody without one.
  asking ??= get('/session').then((s) => {
    mode.value = s.mode;
    session.value = s.is_local ? { ...s, name: 'local' } : s.name ? s : null;
  }, (error) => error.status !== 0 && (session.value = null)).finally(() => (asking = null));
  return asking;
}

/** True when whoever is signed in has the right; the service decides, this only hides what it would refuse. */
export const may = (right) => session.value?.rights?.includes(right) ?? false;

export async function signIn(key) {
  await post('/session', { key });
  await refreshSession();
}

export async function signOut() {
  await remove('/session');
  sessionStorage.removeItem('purpose');
  purpose.value = '';
  await refreshSession();
}
