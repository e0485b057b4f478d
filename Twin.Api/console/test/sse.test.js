import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventReader, longestWait, shortestWait, wait } from '../src/pure/sse.js';

const text = 'id: 7\nevent: case\ndata: {"number":7}\n\n: still here\n\nevent: status\ndata: one\ndata: two\n\nid:8\ndata:x\n\n';

const whole = [{ id: '7', event: 'case', data: '{"number":7}' }, { id: null, event: 'status', data: 'one\ntwo' },
  { id: '8', event: 'message', data: 'x' }];

function read(pieces) {
  const events = [];
  const reader = new EventReader((e) => events.push(e));
  pieces.forEach((p) => reader.push(p));
  return events;
}

test('events are the same however the network cuts them', () => {
  for (let size = 1; size <= text.length; size++) {
    const pieces = [];
    for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
    assert.deepEqual(read(pieces), whole, `pieces of ${size}`);
  }
});

test('all three line ends are line ends, also cut in two', () => {
  for (const end of ['\n', '\r\n', '\r']) {
    const ended = text.replaceAll('\n', end);
    assert.deepEqual(read([ended, end === '\r' ? ':\r' : '']), whole, JSON.stringify(end));
    assert.deepEqual(read([...ended, end === '\r' ? ':\r' : '']), whole, `${JSON.stringify(end)} by characters`);
  }
});

test('half an event is none: its id is not yet taken in', () => {
  assert.deepEqual(read(['id: 9\nevent: case\ndata: {}\n']), []);
});

test('waits double up to a bound and are spread', () => {
  assert.equal(wait(0, 0), shortestWait);
  assert.equal(wait(1, 0), 2 * shortestWait);
  assert.equal(wait(99, 0), longestWait);
  assert.equal(wait(99, 1), longestWait * 0.75);
});
