import { computed, signal } from '@preact/signals';
import { addressOf, changed, parsePlace } from './pure/route.js';

const here = signal({ path: location.pathname, search: location.search });

/** Screen, id and query that the address names. */
export const place = computed(() => parsePlace(here.value.path, here.value.search));

/** Goes to an address. Replacing leaves no step in the browser's history: for what is typed or dragged. */
export function go(href, { replace = false, keepScroll = false } = {}) {
  const url = new URL(href, location.origin);
  if (url.pathname === location.pathname && url.search === location.search) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', url.pathname + url.search);
  here.value = { path: url.pathname, search: url.search };
  if (!keepScroll) scrollTo(0, 0);
}

export const setQuery = (changes, options) => go(changed(place.value, changes), { keepScroll: true, ...options });

export const linkTo = (screen, id, query) => addressOf(screen, id, query);

export function followAddress() {
  addEventListener('popstate', () => {
    here.value = { path: location.pathname, search: location.search };
  });
  document.addEventListener('click', (e) => {
    const link = e.target instanceof Element ? e.target.closest('a[href]') : null;
    if (!link || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    if (link.origin !== location.origin || link.target || link.hasAttribute('download')) return;
    if (parsePlace(link.pathname, '').screen === 'missing' || link.getAttribute('href').startsWith('#')) return;
    e.preventDefault();
    go(link.href);
  });
}
