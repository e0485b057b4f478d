import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, changed, cursorOf, parsePlace, picked, screenLink } from '../src/pure/route.js';

test('every screen has an address that leads back to it', () => {
  const places = [['triage', null], ['case', '00ff-1'], ['meters', null], ['meter', 'LC 1/2'], ['fleet', null],
    ['policies', null], ['sign-in', null]];
  for (const [screen, id] of places) {
    const url = new URL(addressOf(screen, id, { at: '2026-11-22T00:00:00Z', text: 'a&b=c' }), 'http://x');
    assert.deepEqual(parsePlace(url.pathname, url.search),
      { screen, id, query: { at: '2026-11-22T00:00:00Z', text: 'a&b=c' } });
  }
});

test('the root is triage, and what is unknown is missing', () => {
  assert.equal(parsePlace('/', '').screen, 'triage');
  for (const path of ['/triage/x', '/api/v1/cases', '/cases', '/cases/a/b']) assert.equal(parsePlace(path, '').screen, 'missing');
});

test('an id that is no valid escape is taken as it stands', () => {
  assert.equal(parsePlace('/cases/%E0%A4%A', '').id, '%E0%A4%A');
});

test('an address does not depend on the order in which filters were set, nor on empty ones', () => {
  assert.equal(addressOf('triage', null, { sort: 'opened', desk: 'grid', text: '', all: null }), '/triage?desk=grid&sort=opened');
  assert.equal(changed({ screen: 'triage', id: null, query: { desk: 'grid', cursor: 'x' } }, { cursor: null, desk: 'security' }),
    '/triage?desk=security');
});

test('only what the service is asked with is picked', () => {
  assert.deepEqual(picked({ desk: 'grid', tour: '1', text: '' }, ['desk', 'text']), { desk: 'grid' });
});

test('links of the service lead to screens and pages', () => {
  assert.equal(screenLink('/api/v1/cases/x-1'), '/cases/x-1');
  assert.equal(screenLink('/meters/y?at=1'), '/meters/y?at=1');
  assert.equal(cursorOf('/api/v1/cases?desk=grid&cursor=a%2Bb'), 'a+b');
  assert.equal(cursorOf(null), null);
});
