import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { KeyReader, pairMs, shortcuts } from '../src/pure/keys.js';

test('the guide lists the shortcuts that there are, and no others', () => {
  const guide = readFileSync(new URL('../../../docs/guides/console.md', import.meta.url), 'utf8');
  const part = guide.slice(guide.indexOf('## Keys'), guide.indexOf('## Guided tour'));
  const rows = [...part.matchAll(/^\| ([^|]+) \| `([^`]+)` \| ([^|]+) \|$/gm)].map(([, screen, keys, does]) => ({ screen, keys, does }));
  assert.deepEqual(rows, shortcuts);
});

test('a shortcut is found once on a screen', () => {
  const names = shortcuts.map((s) => `${s.screen} ${s.keys}`);
  assert.equal(new Set(names).size, names.length);
});

test('pairs are read when they come in time', () => {
  const reader = new KeyReader(['g t', 'j', 't']);
  assert.equal(reader.press('g', 0), null);
  assert.equal(reader.press('t', pairMs), 'g t');
  assert.equal(reader.press('g', 0), null);
  assert.equal(reader.press('t', pairMs + 1), 't');
  assert.equal(reader.press('j', 5000), 'j');
});

test('a key that makes no pair is itself', () => {
  const reader = new KeyReader(['g t', 'j']);
  reader.press('g', 0);
  assert.equal(reader.press('j', 1), 'j');
  assert.equal(reader.press('y', 2), null);
});
