import { html } from 'htm/preact';
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { get } from './api.js';
import { go, place } from './place.js';
import { screenLink } from './pure/route.js';
import { useLoad } from './ui/load.js';
import { Failure } from './ui/parts.js';

/** Which step of the tour is shown, from 1; 0 for none. Kept while the tab lives, so that a restart of the service or a
 * reload in the middle of it goes on where it was. */
export const step = signal(Number(sessionStorage.getItem('tour') ?? 0));

/** The digest of everything, as it was told before the service was killed. */
const hashBefore = signal(sessionStorage.getItem('tour-hash') ?? '');

function show(n) {
  step.value = n;
  sessionStorage.setItem('tour', String(n));
}

export const startTour = () => show(1);

function Hash() {
  const load = useLoad(`hash${step.value}`, (abort) => get('/status', { hash: 'true' }, { abort }));
  const now = load.data?.state_hash;
  const keep = () => {
    hashBefore.value = now;
    sessionStorage.setItem('tour-hash', now);
  };
  return html`<dl class="hash"><div><dt>Before</dt><dd><code id="hash-before">${hashBefore.value || 'not kept yet'}</code></dd></div>
    <div><dt>Now</dt><dd><code id="hash-now">${now ?? (load.busy ? '…' : 'no answer')}</code></dd></div></dl>
    ${hashBefore.value && now && html`<p role="status"><strong>${hashBefore.value === now ? '✓ The same: nothing was lost, nothing applied twice.'
      : 'Different: data came in meanwhile, or it is another fleet.'}</strong></p>`}
    <p class="buttons"><button type="button" disabled=${!now} onClick=${keep}>Keep this as before</button><button type="button" onClick=${load.again}>Ask again</button></p>`;
}

function Step({ of, n, total }) {
  const head = useRef(null);
  useEffect(() => {
    if (of.link) go(screenLink(of.link));
    head.current?.focus();
  }, [of.id]);
  return html`<p class="note">Step ${n} of ${total}</p><h2 id="tour-title" tabindex="-1" ref=${head}>${of.title}</h2>
    ${String(of.text).split('\n').filter(Boolean).map((t) => html`<p>${t}</p>`)}
    ${(of.commands ?? []).length > 0 && html`<pre class="commands" tabindex="0" aria-label="Commands">${of.commands.join('\n')}</pre>`}
    ${of.shows_hash && html`<${Hash} />`}
    <p class="buttons">${of.link && html`<a class="button" href=${screenLink(of.link)}>Go there</a>`}<span class="grow"></span>
      <button type="button" disabled=${n <= 1} onClick=${() => show(n - 1)}>Back</button>
      ${n < total ? html`<button type="button" class="primary" id="tour-next" onClick=${() => show(n + 1)}>Next</button>`
        : html`<button type="button" class="primary" onClick=${() => show(0)}>Done</button>`}</p>`;
}

function Panel() {
  const load = useLoad('tour', (abort) => get('/tour', {}, { abort }));
  const steps = load.data?.steps ?? [];
  const n = Math.min(step.value, Math.max(1, steps.length));
  return html`<aside class="tour" id="tour" aria-label="Guided tour"><button type="button" class="plain close" aria-label="End the tour" onClick=${() => show(0)}>✕</button>
    <${Failure} error=${load.error} again=${load.again} />
    ${load.data && steps.length === 0 && html`<p>There is no tour of this fleet. The demo has one: <code>metertwin demo</code>.</p>`}
    ${steps.length > 0 && html`<${Step} key=${steps[n - 1].id} of=${steps[n - 1]} n=${n} total=${steps.length} />`}</aside>`;
}

export function Tour() {
  const asked = place.value.query.tour;
  useEffect(() => {
    if (asked && step.value === 0) show(Number(asked) || 1);
  }, [asked]);
  return step.value > 0 ? html`<${Panel} />` : null;
}
