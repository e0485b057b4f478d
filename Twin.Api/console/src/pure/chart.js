// Columns of a series as a chart wants them, and the moves of its window. A hole stays a hole: it is evidence.

/** Shortest window, seconds: an hour. */
export const leastSpan = 3600;

/** uPlot's data: x, then mean, low and high of what was read, then low and high of what was expected. */
export function chartData(answer) {
  const x = [];
  const [mean, min, max, low, high] = [[], [], [], [], []];
  const expected = new Map((answer.expected ?? []).filter(Boolean).map((e, i) => [e.start ?? i, e]));
  (answer.columns ?? []).forEach((c, i) => {
    x.push(Date.parse(c.start) / 1000);
    mean.push(c.mean ?? null);
    min.push(c.min ?? null);
    max.push(c.max ?? null);
    const e = expected.get(c.start) ?? answer.expected?.[i] ?? null;
    low.push(e?.low ?? null);
    high.push(e?.high ?? null);
  });
  return [x, mean, min, max, low, high];
}

/**
 * What to ask for a window of so many pixels: columns that are whole numbers of intervals and begin where intervals do,
 * so that an empty column is a hole in the data and never one of the drawing.
 */
export function columnsFor(width, window, intervalMinutes) {
  const most = Math.max(50, Math.min(2000, Math.floor(width)));
  const span = window.to - window.from;
  if (!intervalMinutes) return { from: Math.floor(window.from), to: Math.ceil(window.to), columns: Math.min(most, Math.floor(span)) };
  const interval = intervalMinutes * 60;
  const step = interval * Math.max(1, Math.ceil(span / interval / most));
  const from = Math.floor(window.from / step) * step;
  const columns = Math.max(1, Math.ceil((window.to - from) / step));
  return { from, to: from + columns * step, columns };
}

/** A window moved by a share of itself, kept within the bounds. */
export function moved(window, bounds, share) {
  const size = window.to - window.from;
  const from = clamp(window.from + share * size, bounds.from, Math.max(bounds.from, bounds.to - size));
  return { from, to: from + size };
}

/** A window made so many times larger around its middle, or around a given time. */
export function scaled(window, bounds, factor, around = (window.from + window.to) / 2) {
  const size = clamp((window.to - window.from) * factor, Math.min(leastSpan, bounds.to - bounds.from),
    bounds.to - bounds.from);
  const share = (around - window.from) / (window.to - window.from);
  const from = clamp(around - share * size, bounds.from, bounds.to - size);
  return { from, to: from + size };
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** What a chart shows, for who does not see it; null when nothing was read. */
export function summary(answer) {
  const columns = (answer.columns ?? []).filter((c) => c.count > 0);
  const holes = holesOf(answer.columns ?? []);
  if (columns.length === 0) return null;
  const sum = columns.reduce((s, c) => s + (c.sum ?? 0), 0);
  const readings = columns.reduce((s, c) => s + c.count, 0);
  const peak = columns.reduce((a, b) => (b.max > a.max ? b : a));
  const outside = (answer.columns ?? []).filter((c, i) => {
    const e = answer.expected?.[i];
    return e && c.mean !== null && e.low !== null && (c.mean < e.low || c.mean > e.high);
  }).length;
  return { sum, readings, mean: sum / readings, peak: peak.max, peakAt: peak.start, holes, outside,
    columns: answer.columns.length };
}

/** Runs of columns without a reading: where they begin, where they end, how many columns they span. */
export function holesOf(columns) {
  const holes = [];
  for (let i = 0; i < columns.length; i++) {
    if (columns[i].count > 0) continue;
    const last = holes.at(-1);
    if (last && last.end === i) last.end = i + 1;
    else holes.push({ begin: i, end: i + 1 });
  }
  return holes.map((h) => ({ from: columns[h.begin].start, to: columns[h.end]?.start ?? null,
    columns: h.end - h.begin }));
}

/** The next place of an "as of" slider: whole days between two times, as many as there are. */
export const dayCount = (from, to) => Math.max(1, Math.ceil((to - from) / 86_400));
