import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { session, signIn } from '../api.js';
import { go, place } from '../place.js';
import { Failure, Field, Panel } from '../ui/parts.js';

/** A key, once; the service gives a cookie for it that scripts cannot read. */
export function SignInForm({ onDone }) {
  const [key, setKey] = useState('');
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const field = useRef(null);
  useEffect(() => field.current?.focus(), []);
  const submit = async (e) => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await signIn(key.trim());
      onDone();
    } catch (problem) {
      setError(problem);
      setKey('');
      field.current?.focus();
    } finally {
      setBusy(false);
    }
  };
  return html`<form onSubmit=${submit} class="stack" id="sign-in-form">
    <${Field} label="Key" hint="It is sent once and not kept here.">
      <input ref=${field} id="key" type="password" autocomplete="current-password" spellcheck=${false} required value=${key}
        onInput=${(e) => setKey(e.currentTarget.value)} /></${Field}>
    <${Failure} error=${error} />
    <p><button type="submit" class="primary" disabled=${busy}>${busy ? 'Signing in…' : 'Sign in'}</button></p>
  </form>`;
}

export const signInTitle = () => 'Sign in';

export function SignInScreen() {
  const to = place.value.query.to;
  // Only a path of this console: an address in a link must not lead elsewhere.
  const done = () => go(to && /^\/[^/\\]/.test(to) ? to : '/triage', { replace: true });
  return html`<div class="narrow"><h1>Sign in</h1>
    <${Panel} id="sign-in-panel" title="With a key">
      ${session.value && !session.value.is_local && html`<p>You are ${session.value.name}.</p>`}
      <${SignInForm} onDone=${done} />
      <p class="note">An administrator makes keys: <code>metertwin key create</code>. The demo prints a link that signs in once.</p>
    </${Panel}></div>`;
}
