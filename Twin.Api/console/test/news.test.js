import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNews, mostChanged, nothing, sentence, Throttle, withEvent } from '../src/pure/news.js';

const event = (id, kind = 'case') => ({ kind, case: id });

test('a case is counted once, whatever happens to it', () => {
  const news = [event('a'), event('a', 'response'), event('b', 'act')].reduce(withEvent, nothing);
  assert.deepEqual(news.ids, ['a', 'b']);
  assert.deepEqual(withEvent(withEvent(nothing, event('a-1')), event('a', 'response')).ids, ['a']);
  assert.ok(isNews(news, 'a-2') && !isNews(news, 'c-1'));
  assert.equal(sentence(news), '2 cases changed');
  assert.equal(sentence(withEvent(nothing, event('a'))), '1 case changed');
});

test('what is about no case changes nothing', () => {
  assert.equal(withEvent(nothing, event(null)), nothing);
  assert.equal(withEvent(nothing, event('a', 'policy')), nothing);
  assert.equal(sentence(nothing), '');
});

test('a storm is counted up to the bound and then said to be more', () => {
  let news = nothing;
  for (let i = 0; i < mostChanged + 20; i++) news = withEvent(news, event(`c${i}`));
  assert.equal(news.ids.length, mostChanged);
  assert.equal(sentence(news), `more than ${mostChanged} cases changed`);
});

test('the throttle says the first at once and then the newest', () => {
  const [said, timers] = [[], []];
  let now = 0;
  const throttle = new Throttle((t) => said.push(t), 5000, () => now, (f, ms) => timers.push([f, ms]));
  for (const text of ['one', 'two', 'three']) throttle.push(text);
  assert.deepEqual(said, ['one']);
  assert.deepEqual(timers.map(([, ms]) => ms), [5000]);
  now = 5000;
  timers[0][0]();
  assert.deepEqual(said, ['one', 'three']);
});
