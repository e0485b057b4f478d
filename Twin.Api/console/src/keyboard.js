import { KeyReader, shortcuts } from './pure/keys.js';

// Screens say what they do on a key while they are shown; the newest on top goes first.
const layers = [];
const reader = new KeyReader(shortcuts.map((s) => s.keys));

/** Adds a table of shortcut → function; returns what takes it away again. A function that returns false passes on. */
export function onKeys(table) {
  layers.unshift(table);
  return () => layers.splice(layers.indexOf(table), 1);
}

function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type);
}

export function listenToKeys() {
  addEventListener('keydown', (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    if (e.key === 'Escape') {
      if (isTyping(e.target)) e.target.blur();
      return;
    }
    if (isTyping(e.target) || document.querySelector('dialog[open]')) return;
    // Enter on a link or button, and arrows on a slider, are the browser's.
    if (e.key === 'Enter' && e.target instanceof Element && e.target.closest('a, button, summary')) return;
    if (e.key.startsWith('Arrow') && e.target instanceof HTMLInputElement) return;
    const name = reader.press(e.key, e.timeStamp);
    if (name === null) return;
    for (const table of layers) {
      if (!table[name] || table[name](e) === false) continue;
      e.preventDefault();
      return;
    }
  });
}
