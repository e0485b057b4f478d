import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartData, columnsFor, holesOf, leastSpan, moved, scaled, summary } from '../src/pure/chart.js';

const column = (hour, mean, count = 4) => ({ start: `2026-11-22T0${hour}:00:00Z`, min: count ? mean - 1 : null,
  max: count ? mean + 1 : null, mean: count ? mean : null, count, sum: count ? mean * count : null });

const answer = { unit: 'Wh', columns: [column(0, 10), column(1, 0, 0), column(2, 0, 0), column(3, 20)],
  expected: [{ start: '2026-11-22T00:00:00Z', low: 9, mean: 10, high: 11 }, null, null,
    { start: '2026-11-22T03:00:00Z', low: 9, mean: 10, high: 11 }] };

test('a hole stays a hole', () => {
  const [x, mean, min, max, low, high] = chartData(answer);
  assert.equal(x[1] - x[0], 3600);
  assert.deepEqual([mean, min, max], [[10, null, null, 20], [9, null, null, 19], [11, null, null, 21]]);
  assert.deepEqual([low, high], [[9, null, null, 9], [11, null, null, 11]]);
  assert.deepEqual(holesOf(answer.columns), [{ from: '2026-11-22T01:00:00Z', to: '2026-11-22T03:00:00Z', columns: 2 }]);
});

test('the summary tells what the chart shows', () => {
  const told = summary(answer);
  assert.deepEqual([told.readings, told.sum, told.mean, told.peak, told.outside, told.holes.length], [8, 120, 15, 21, 1, 1]);
  assert.equal(summary({ columns: [column(1, 0, 0)] }), null);
});

test('a window stays within its bounds', () => {
  const bounds = { from: 0, to: 100_000 };
  assert.deepEqual(moved({ from: 90_000, to: 100_000 }, bounds, 0.5), { from: 90_000, to: 100_000 });
  assert.deepEqual(moved({ from: 1_000, to: 11_000 }, bounds, -0.5), { from: 0, to: 10_000 });
  assert.deepEqual(scaled({ from: 40_000, to: 60_000 }, bounds, 0.5), { from: 45_000, to: 55_000 });
  assert.deepEqual(scaled({ from: 40_000, to: 60_000 }, bounds, 100), bounds);
  const least = scaled({ from: 40_000, to: 40_010 }, bounds, 0.5);
  assert.equal(least.to - least.from, leastSpan);
});

test('columns are whole numbers of intervals and begin where intervals do', () => {
  const day = 86_400;
  assert.deepEqual(columnsFor(1200, { from: 0, to: day }, 15), { from: 0, to: day, columns: 96 });
  assert.deepEqual(columnsFor(700, { from: 100, to: 30 * day }, 30), { from: 0, to: 30 * day, columns: 480 });
  for (const width of [60, 333, 1386, 9000]) {
    for (const span of [3600, 7 * day, 3650 * day]) {
      const window = { from: 1_700_000_123, to: 1_700_000_123 + span };
      const asked = columnsFor(width, window, 15);
      const step = (asked.to - asked.from) / asked.columns;
      assert.ok(step % 900 === 0 && asked.from % step === 0, `${width} ${span}`);
      assert.ok(asked.from <= window.from && asked.to >= window.to && asked.columns <= Math.max(50, width) + 1);
    }
  }
  assert.deepEqual(columnsFor(700, { from: 0.5, to: 86_400.5 }, null), { from: 0, to: 86_401, columns: 700 });
});
