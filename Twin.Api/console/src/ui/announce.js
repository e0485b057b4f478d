import { signal } from '@preact/signals';
import { html } from 'htm/preact';
import { Throttle } from '../pure/news.js';

const said = signal('');

/** At most one sentence in so many milliseconds. */
const everyMs = 5000;

const throttle = new Throttle((text) => (said.value = text), everyMs);

/** Tells who listens instead of looks. */
export const announce = (text) => throttle.push(text);

/** The one live region of the page. */
export const LiveRegion = () => html`<div class="unseen" role="status" aria-live="polite" id="live">${said}</div>`;
