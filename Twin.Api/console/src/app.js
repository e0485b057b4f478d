import { html } from 'htm/preact';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { refreshSession, session } from './api.js';
import { Frame, openDialog, showTheme, titleMark } from './frame.js';
import { listenToKeys, onKeys } from './keyboard.js';
import { follow } from './live.js';
import { followAddress, go, linkTo, place } from './place.js';
import { caseTitle, CaseScreen } from './screens/case.js';
import { fleetTitle, FleetScreen } from './screens/fleet.js';
import { meterTitle, MeterScreen } from './screens/meter.js';
import { metersTitle, MetersScreen } from './screens/meters.js';
import { policiesTitle, PoliciesScreen } from './screens/policies.js';
import { signInTitle, SignInScreen } from './screens/sign-in.js';
import { triageTitle, TriageScreen } from './screens/triage.js';
import { Tour } from './tour.js';

const Missing = () => html`<h1>There is no such page</h1><p><a href="/triage">Triage</a> is where work begins.</p>`;

const screens = {
  triage: [TriageScreen, triageTitle], case: [CaseScreen, caseTitle], meters: [MetersScreen, metersTitle],
  meter: [MeterScreen, meterTitle], fleet: [FleetScreen, fleetTitle], policies: [PoliciesScreen, policiesTitle],
  'sign-in': [SignInScreen, signInTitle], missing: [Missing, () => 'No such page'],
};

function App() {
  const { screen, id } = place.value;
  const [Screen, title] = screens[screen];
  const isOut = session.value === null && screen !== 'sign-in' && screen !== 'missing';
  useEffect(() => {
    document.title = `${titleMark()}${isOut ? 'Sign in' : title(id)} · MeterTwin`;
  });
  if (session.value === undefined) return html`<${Frame}><h1 class="unseen">MeterTwin</h1><p class="note">Asking who you are…</p></${Frame}>`;
  // A second person signs in where the first one was: the address stays.
  return html`<${Frame}>${isOut ? html`<${SignInHere} />` : html`<${Screen} key=${screen + (id ?? '')} />`}</${Frame}><${Tour} />`;
}

const SignInHere = () => {
  useEffect(() => go(linkTo('sign-in', null, { to: location.pathname + location.search }), { replace: true }), []);
  return null;
};

function main() {
  showTheme();
  followAddress();
  listenToKeys();
  onKeys({
    '?': () => (openDialog.value = 'help'),
    'g t': () => go(linkTo('triage')),
    'g m': () => go(linkTo('meters')),
    'g f': () => go(linkTo('fleet')),
    'g p': () => go(linkTo('policies')),
    '/': () => document.getElementById('search')?.focus(),
    i: () => (openDialog.value = 'sign-in'),
  });
  render(html`<${App} />`, document.getElementById('console'));
  refreshSession();
  follow();
}

main();
