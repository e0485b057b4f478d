import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, any, count, figure, none, percent, rfc, short, span, time, watts, words } from '../src/pure/format.js';

test('figures have three significant digits, whole ones from a hundred on', () => {
  assert.deepEqual([0, 1, 12.345, 0.012345, 123.4, 1234567, -5.5].map(figure),
    ['0', '1', '12.3', '0.0123', '123', '1,234,567', '-5.5']);
});

test('what is not known is a dash, never a zero', () => {
  for (const f of [count, figure, percent, watts, span, time, words, any]) assert.equal(f(null), none, f.name);
  assert.equal(figure(Number.NaN), none);
  assert.equal(time('1970-01-01T00:00:00Z'), none);
});

test('watts take the prefix that fits', () => {
  assert.deepEqual([999, 1000, 1234000, 2.5e9, -4200].map((w) => watts(w)), ['999 W', '1 kW', '1.23 MW', '2.5 GW', '-4.2 kW']);
});

test('a span is told in the two units that matter', () => {
  assert.deepEqual([5, 61, 3600, 3661, 90_000, 11 * 86_400 + 3600, 100 * 86_400, 4 * 365.25 * 86_400].map(span),
    ['5 s', '1 min', '1 h', '1 h 1 min', '1 d 1 h', '11 d', '3 months', '4 years']);
  assert.equal(span(-3), '0 s');
});

test('times are UTC, whatever zone the browser is in', () => {
  assert.equal(time('2026-11-22T08:15:00+01:00'), '2026-11-22 07:15');
  assert.equal(time('2026-11-22T08:15:07Z'), '2026-11-22 08:15:07');
  assert.equal(rfc(1_795_335_300), '2026-11-22T08:15:00Z');
  assert.equal(age('2026-11-21T08:15:00Z', '2026-11-22T09:15:00Z'), '1 d 1 h');
});

test('names of the service are words, and whatever comes can be shown', () => {
  assert.equal(words('revenue_protection'), 'revenue protection');
  assert.equal(any({ a_b: [1, true], at: '2026-11-22T08:15:00Z' }), 'a b 1, yes, at 2026-11-22 08:15');
  assert.equal(any([]), none);
  assert.equal(short(`default (${'ab'.repeat(32)}), case ${'cd'.repeat(8)}-1`), `default (abababababab…), case ${'cd'.repeat(8)}-1`);
});
