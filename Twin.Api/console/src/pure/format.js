// Figures and words as people read them. Times are shown in UTC, as the ledger and the API have them: a security
// operations centre compares them with logs of other machines.

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const group = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

export const none = '–';

export function count(value) {
  return value === null || value === undefined ? none : group.format(value);
}

/** At most three significant digits, whole from a hundred on. */
export function figure(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  const size = Math.abs(value);
  if (size >= 100) return group.format(value);
  return String(Number(value.toPrecision(3)));
}

export function percent(value) {
  return value === null || value === undefined ? none : `${figure(value * 100)} %`;
}

const scales = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

/** Watts with a prefix: 1,234,000 is "1.23 MW". */
export function watts(value, unit = 'W') {
  if (value === null || value === undefined) return none;
  for (const [size, prefix] of scales)
    if (Math.abs(value) >= size) return `${figure(value / size)} ${prefix}${unit}`;
  return `${figure(value)} ${unit}`;
}

/** Seconds in the two largest units that matter: "3 d 4 h". */
export function span(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return none;
  const s = Math.max(0, Math.round(seconds));
  if (s < minute) return `${s} s`;
  if (s < hour) return `${Math.floor(s / minute)} min`;
  if (s < day) return joined(Math.floor(s / hour), 'h', Math.floor((s % hour) / minute), 'min');
  if (s < 60 * day) return joined(Math.floor(s / day), 'd', Math.floor((s % day) / hour), 'h');
  if (s < 730 * day) return `${Math.round(s / (30.44 * day))} months`;
  return `${figure(s / (365.25 * day))} years`;
}

const joined = (a, unit, b, smaller) => (b > 0 && a < 10 ? `${a} ${unit} ${b} ${smaller}` : `${a} ${unit}`);

/** Seconds since 1970 of an RFC 3339 time; null for none. */
export function seconds(time) {
  if (!time) return null;
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? null : ms / 1000;
}

/** The zero of the service's clock stands for "never". */
export const isNever = (time) => !time || time.startsWith('1970-01-01T00:00:00');

/** "2026-11-22 08:15"; seconds only where there are any. */
export function time(text) {
  if (isNever(text)) return none;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const iso = at.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, at.getUTCSeconds() === 0 ? 16 : 19)}`;
}

export const date = (text) => (isNever(text) ? none : text.slice(0, 10));

/** RFC 3339 in whole seconds. */
export const rfc = (secs) => new Date(Math.round(secs) * 1000).toISOString().replace('.000Z', 'Z');

/** How long ago, on the clock of the data and not of the browser. */
export function age(text, now) {
  const from = seconds(text);
  const to = seconds(now);
  return isNever(text) || from === null || to === null ? none : span(to - from);
}

const phrases = {
  no_data: 'no data', in_progress: 'in progress', none: none,
  true: 'true', false: 'false alarm', benign: 'benign', duplicate: 'duplicate', maintenance: 'maintenance',
  reattest: 're-attest',
};

/** A name of the API in words: "revenue_protection" is "revenue protection". */
export function words(name) {
  if (name === null || name === undefined || name === '') return none;
  return phrases[name] ?? String(name).replaceAll('_', ' ');
}

/** A value of unknown kind, for tables of whatever a twin tells. */
export function any(value) {
  if (value === null || value === undefined || value === '') return none;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : figure(value);
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT/.test(value) ? time(value) : value;
  if (Array.isArray(value)) return value.length === 0 ? none : value.map(any).join(', ');
  return Object.entries(value).map(([k, v]) => `${words(k)} ${any(v)}`).join(', ');
}

/** Digests are long and say nothing to the eye; where one is needed whole it is in a title or in the API. */
export const short = (text) => text.replaceAll(/\b([0-9a-f]{12})[0-9a-f]{20,}\b/g, '$1…');

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Severity as text and shape: colour alone tells nobody who cannot see it. */
export const severities = {
  critical: '■', high: '▲', medium: '◆', low: '●', info: '○',
};

export const severityNames = ['critical', 'high', 'medium', 'low', 'info'];
