import { html } from 'htm/preact';
import { signal } from '@preact/signals';
import { mode as knownMode, session, signOut } from './api.js';
import { connection, status } from './live.js';
import { linkTo, place } from './place.js';
import { plural, time, words } from './pure/format.js';
import { LiveRegion } from './ui/announce.js';
import { Dialog, Table } from './ui/parts.js';
import { shortcuts } from './pure/keys.js';
import { SignInForm } from './screens/sign-in.js';
import { startTour } from './tour.js';

/** Which dialog of the frame is open: "help", "sign-in" or none. */
export const openDialog = signal(null);

const themes = ['auto', 'light', 'dark'];

export const theme = signal(localStorage.getItem('theme') ?? 'auto');

export function setTheme(name) {
  theme.value = name;
  if (name === 'auto') localStorage.removeItem('theme');
  else localStorage.setItem('theme', name);
  showTheme();
}

export function showTheme() {
  document.documentElement.dataset.theme = theme.value;
}

/** A colour of the style sheet as "rgb(…)", for what draws on a canvas; the theme in force decides. */
export function colour(name) {
  const probe = document.getElementById('console');
  probe.style.outlineColor = `var(--${name})`;
  return getComputedStyle(probe).outlineColor;
}

export const isDemo = () => status.value?.mode === 'demo';

const modes = {
  live: ['Live', ''],
  replay: ['Replay', 'Recorded data, not live. Times are those of the recording.'],
  demo: ['Demo', 'Generated homes, not live. No real meter is shown here.'],
  simulation: ['Simulation', 'Generated data, not live.'],
};

/** How the document's title begins, so that a tab in the background tells too. */
export const titleMark = () => {
  const mode = status.value?.mode ?? knownMode.value;
  return mode && mode !== 'live' ? `[${modes[mode]?.[0] ?? mode}] ` : '';
};

function ModeBar() {
  const s = status.value;
  const mode = s?.mode ?? knownMode.value ?? 'unknown';
  const [name, text] = modes[mode] ?? ['Not connected', 'Nothing is known of the service yet.'];
  return html`<div class="mode mode-${mode}" id="mode" role="region" aria-label="Mode of operation">
    <strong>${name}</strong>${text && html`<span>${text}</span>`}<span class="grow"></span>
    ${s?.watermark && html`<span title="Data are complete up to here">data up to <time datetime=${s.watermark}>${time(s.watermark)}</time> UTC</span>`}
    <${Connection} />
  </div>`;
}

const states = { live: ['●', 'connected'], polling: ['◐', 'polling'], connecting: ['○', 'connecting…'],
  broken: ['✕', 'no connection'], waiting: ['○', 'not signed in'] };

function Connection() {
  const c = connection.value;
  const [shape, text] = states[c.state];
  return html`<span class="connection connection-${c.state}" id="connection" data-state=${c.state}>
    <span aria-hidden="true">${shape}</span> ${text}${c.state === 'broken' && c.tries > 0 ? `, try ${c.tries + 1}` : ''}</span>`;
}

function Alarms() {
  const s = status.value;
  return html`
    ${s?.storage_error && html`<div class="alarm alarm-storage" role="alert" id="storage-error">
      <strong>Not storing anything.</strong> ${s.storage_error} What is sent now is not acknowledged; what was acknowledged is safe.</div>`}
    ${s?.frozen && html`<div class="alarm alarm-freeze" role="status" id="frozen"><strong>Responses are frozen.</strong>
      Nothing goes out until somebody ends the freeze. <a href=${linkTo('policies', null, { part: 'covers' })}>Policies</a></div>`}
    ${s && !s.is_ready && html`<div class="alarm" role="status">The service is recovering: what is shown may lack the newest.</div>`}`;
}

const screens = [['triage', 'Triage', 'case'], ['meters', 'Meters', 'meter'], ['fleet', 'Fleet'], ['policies', 'Policies & replay']];

function Nav() {
  const now = place.value.screen;
  return html`<nav aria-label="Screens"><ul>${screens.map(([screen, name, also]) => html`<li><a href=${linkTo(screen)}
    aria-current=${now === screen ? 'page' : now === also ? 'true' : undefined}>${name}</a></li>`)}</ul></nav>`;
}

function SessionBox() {
  const s = session.value;
  if (s === undefined) return html`<span class="session">…</span>`;
  if (s === null) return html`<a class="button" href=${linkTo('sign-in')} id="sign-in">Sign in</a>`;
  return html`<span class="session" id="session">
    <span class="who"><strong>${s.name}</strong> <small>${s.is_local ? 'this machine, read only' : words(s.role)}${
      s.role === 'approver' && s.may_approve === false ? `, approves from ${time(s.approves_from)}` : ''}</small></span>
    <button type="button" class="plain" onClick=${() => (openDialog.value = 'sign-in')}>${s.is_local ? 'Sign in' : 'Switch'}</button>
    ${!s.is_local && html`<button type="button" class="plain" onClick=${() => signOut().catch(() => {})}>Sign out</button>`}
  </span>`;
}

function ThemeButton() {
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length];
  return html`<button type="button" class="plain" id="theme" onClick=${() => setTheme(next)}
    aria-label="Colours: ${theme}. Change to ${next}">${{ auto: '◐', light: '☀', dark: '☾' }[theme.value]} ${theme}</button>`;
}

function Help() {
  const parts = [...new Set(shortcuts.map((s) => s.screen))];
  return html`<${Dialog} id="help" title="Keyboard" wide onClose=${() => (openDialog.value = null)}>
    <div class="columns">${parts.map((part) => html`<${Table} scroll=${false} caption=${part[0].toUpperCase() + part.slice(1)} columns=${[
      { head: 'Key', scope: 'row', cell: (s) => s.keys.split(' ').map((k, i) => html`${i > 0 ? ' then ' : ''}<kbd>${k}</kbd>`) },
      { head: 'Does', cell: (s) => s.does }]} rows=${shortcuts.filter((s) => s.screen === part)} />`)}</div>
    <p class="note">Keys work while no field is being typed into. Tab reaches everything; Enter and Space press it.</p>
  </${Dialog}>`;
}

function SignIn() {
  return html`<${Dialog} id="switch" title=${session.value?.is_local === false ? 'Sign in as somebody else' : 'Sign in'}
    onClose=${() => (openDialog.value = null)}>
    <p class="note">You stay on this page. Whoever signs in approves under their own name.</p>
    <${SignInForm} onDone=${() => (openDialog.value = null)} /></${Dialog}>`;
}

export function Frame({ children }) {
  const s = status.value;
  return html`<a class="skip" href="#main" onClick=${(e) => { e.preventDefault(); document.getElementById('main').focus(); }}>Skip to the content</a>
    <${ModeBar} />
    <header class="top">
      <a class="brand" href="/triage">Meter<b>Twin</b></a><${Nav} /><span class="grow"></span>
      ${isDemo() && html`<button type="button" id="tour-start" onClick=${startTour}>Guided tour</button>`}
      <${SessionBox} /><${ThemeButton} />
      <button type="button" class="plain" id="help-open" onClick=${() => (openDialog.value = 'help')} aria-label="Keyboard help"><kbd>?</kbd></button>
    </header>
    <${Alarms} />
    <main id="main" tabindex="-1">${children}</main>
    <footer class="bottom">${s && html`<span>MeterTwin ${s.version}, ${s.edition}, ${s.engine}</span>
      <span>${plural(s.meters, 'meter')}</span><span>${plural(s.findings, 'finding')}</span>
      ${s.policy && html`<span>policy ${s.policy.name} ${s.policy.version}</span>`}`}
      <span class="grow"></span><a href="/plain" target="_self">Plain page</a><a href="/openapi/v1.json" target="_self">API</a></footer>
    <${LiveRegion} />
    ${openDialog.value === 'help' && html`<${Help} />`}
    ${openDialog.value === 'sign-in' && html`<${SignIn} />`}`;
}
