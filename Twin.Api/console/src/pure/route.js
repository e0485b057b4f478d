// Where the console is, read from and written to the address: the address is the state, so every view can be kept,
// sent and reloaded.

const patterns = [
  ['triage', /^\/(?:triage)?$/],
  ['case', /^\/cases\/([^/]+)$/],
  ['meters', /^\/meters$/],
  ['meter', /^\/meters\/([^/]+)$/],
  ['fleet', /^\/fleet$/],
  ['policies', /^\/policies$/],
  ['sign-in', /^\/sign-in$/],
];

const bases = { triage: '/triage', case: '/cases', meters: '/meters', meter: '/meters', fleet: '/fleet',
  policies: '/policies', 'sign-in': '/sign-in' };

/** The place that an address names; an unknown path is the screen "missing". */
export function parsePlace(path, search) {
  const query = Object.fromEntries(new URLSearchParams(search));
  for (const [screen, pattern] of patterns) {
    const match = pattern.exec(path);
    if (match) return { screen, id: match[1] === undefined ? null : decode(match[1]), query };
  }
  return { screen: 'missing', id: null, query };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a screen. Empty members of the query are left out, and the rest is in the order of their names. */
export function addressOf(screen, id, query) {
  const path = id === null || id === undefined ? bases[screen] : `${bases[screen]}/${encodeURIComponent(id)}`;
  return path + searchOf(query);
}

export function searchOf(query) {
  const kept = Object.entries(query ?? {}).filter(([, v]) => v !== null && v !== undefined && v !== '');
  if (kept.length === 0) return '';
  kept.sort(([a], [b]) => (a < b ? -1 : 1));
  return `?${new URLSearchParams(kept)}`;
}

/** The same screen with some of the query changed; null or empty takes a member out. */
export const changed = (place, changes) =>
  addressOf(place.screen, place.id, { ...place.query, ...changes });

/** The members of a query that the API is asked with. */
export function picked(query, names) {
  return Object.fromEntries(names.filter((n) => query[n]).map((n) => [n, query[n]]));
}

/** The path of an API link: "/api/v1/cases/x-1" and "/cases/x-1" both lead to the screen. */
export const screenLink = (link) => link.replace(/^\/api\/v1(?=\/)/, '');

/** The cursor in a link to a next page; null when there is none. */
export function cursorOf(next) {
  if (!next) return null;
  const at = next.indexOf('?');
  return at < 0 ? next : new URLSearchParams(next.slice(at)).get('cursor');
}
