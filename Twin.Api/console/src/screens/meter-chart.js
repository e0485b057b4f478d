import uPlot from 'uplot';
import { html } from 'htm/preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, purpose } from '../api.js';
import { colour, theme } from '../frame.js';
import { onKeys } from '../keyboard.js';
import { chartData, columnsFor, moved, scaled, summary } from '../pure/chart.js';
import { count, figure, plural, rfc, seconds, span, time, words } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { dateMarks } from '../ui/dates.js';
import { Failure, Table, Time } from '../ui/parts.js';

const height = 300;

/** Rows of the table beside the chart; the rest is counted. */
const mostRows = 200;

const marks = { critical: 'critical', high: 'high', medium: 'medium', low: 'low', info: 'muted' };

function drawMarks(plot, findings) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const f of findings) {
    const [from, to] = [seconds(f.from), seconds(f.to)];
    if (to < plot.scales.x.min || from > plot.scales.x.max) continue;
    const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(Math.max(to, from), 'x', true));
    ctx.fillStyle = colour(marks[f.severity] ?? 'muted');
    ctx.globalAlpha = 0.12;
    ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillRect(left, bbox.top, Math.max(3 * devicePixelRatio, right - left), 4 * devicePixelRatio);
  }
  ctx.restore();
}

function drawAt(plot, at) {
  if (at === null || at < plot.scales.x.min || at > plot.scales.x.max) return;
  const { ctx, bbox } = plot;
  const x = plot.valToPos(at, 'x', true);
  ctx.save();
  ctx.strokeStyle = colour('accent');
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

const withAlpha = (rgb, alpha) => rgb.replace('rgb(', 'rgba(').replace(')', `, ${alpha})`);

function options(width, unit, look) {
  const [ink, line, accent] = ['ink', 'line', 'series'].map(colour);
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    width, height, tzDate: (s) => uPlot.tzDate(new Date(s * 1e3), 'Etc/UTC'),
    cursor: { drag: { x: true, y: false, setScale: false } },
    legend: { show: false },
    scales: { x: { time: true } },
    axes: [{ ...axis, values: dateMarks }, { ...axis, size: 64, label: unit, labelSize: 18, values: (_, v) => v.map(figure) }],
    bands: [{ series: [5, 4], fill: withAlpha(colour('expected'), 0.22) }, { series: [3, 2], fill: withAlpha(accent, 0.22) }],
    series: [{}, { label: 'mean', stroke: accent, width: 1.5, points: { show: false }, spanGaps: false },
      { label: 'lowest', stroke: withAlpha(accent, 0.4), width: 0.5, points: { show: false } },
      { label: 'highest', stroke: withAlpha(accent, 0.4), width: 0.5, points: { show: false } },
      { label: 'expected from', stroke: colour('expected'), width: 1, dash: [3, 3], points: { show: false } },
      { label: 'expected to', stroke: colour('expected'), width: 1, dash: [3, 3], points: { show: false } }],
    hooks: {
      setSelect: [(u) => u.select.width > 4 && look.select(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'))],
      drawAxes: [(u) => drawMarks(u, look.findings())],
      draw: [(u) => drawAt(u, look.at())],
    },
    padding: [8, 8, 0, 0],
  };
}

function Canvas({ answer, width, findings, at, select, label }) {
  const box = useRef(null);
  const plot = useRef(null);
  const look = useRef({});
  look.current = { findings, at, select };
  const dark = theme.value;
  useEffect(() => {
    plot.current = new uPlot(options(width, answer.unit, { select: (a, b) => look.current.select(a, b),
      findings: () => look.current.findings, at: () => look.current.at }), chartData(answer), box.current);
    return () => plot.current.destroy();
  }, [width, dark, answer.unit]);
  useEffect(() => plot.current?.setData(chartData(answer)), [answer]);
  useEffect(() => plot.current?.redraw(false), [at, findings]);
  return html`<div ref=${box} class="chart" role="img" aria-label=${label}></div>`;
}

function sentenceOf(s, answer) {
  if (s === null) return 'There are no readings in this window.';
  const parts = [`${plural(s.readings, 'reading')} in ${plural(s.columns, 'column')}`,
    `mean ${figure(s.mean)} ${answer.unit}`, `highest ${figure(s.peak)} ${answer.unit} near ${time(s.peakAt)} UTC`];
  if (s.holes.length > 0) parts.push(`${plural(s.holes.length, 'hole')} without readings, the first from ${time(s.holes[0].from)}`);
  else parts.push('no holes');
  parts.push(s.outside > 0 ? `${plural(s.outside, 'column')} outside of what was expected` : 'nothing outside of what was expected, where that is known');
  return `${parts.join('; ')}.`;
}

function Data({ answer }) {
  const rows = (answer.columns ?? []).map((c, i) => ({ ...c, expected: answer.expected?.[i] }));
  return html`<details class="chart-data" id="chart-data"><summary>The same as a table</summary>
    ${rows.length > mostRows && html`<p class="note">The first ${mostRows} of ${count(rows.length)} columns. Look closer for the others.</p>`}
    <${Table} tall caption="Readings in this window, ${answer.unit}" rows=${rows.slice(0, mostRows)} columns=${[
      { head: 'From (UTC)', scope: 'row', cell: (c) => html`<${Time} of=${c.start} />` },
      { head: 'Readings', class: 'number', cell: (c) => (c.count === 0 ? 'hole' : count(c.count)) },
      { head: 'Lowest', class: 'number', cell: (c) => figure(c.min) },
      { head: 'Mean', class: 'number', cell: (c) => figure(c.mean) },
      { head: 'Highest', class: 'number', cell: (c) => figure(c.max) },
      { head: 'Expected', class: 'number', cell: (c) => (c.expected?.low === null || !c.expected ? '–' : `${figure(c.expected.low)} to ${figure(c.expected.high)}`) },
    ]} /></details>`;
}

/**
 * The chart of a load curve. The window is the address's; the service folds what lies in it into as many columns as
 * there are pixels, so that ten years and an afternoon cost the same.
 */
export function MeterChart({ meter, window, bounds, channel, interval, knownAt, findings, at, move }) {
  const frame = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const { from, to, columns } = columnsFor(width || 600, window, interval);
  const ask = { from: rfc(from), to: rfc(to), columns, channel, known_at: knownAt, band: !channel || channel === 'import' ? 'true' : null };
  const load = useLoad(width === 0 ? null : JSON.stringify([meter, ask, purpose.value]),
    (abort) => get(`/meters/${meter}/series`, ask, { abort, withPurpose: true }));
  const keys = useRef({});
  keys.current = { '+': () => move(scaled(window, bounds, 0.5)), '-': () => move(scaled(window, bounds, 2)),
    ArrowLeft: () => move(moved(window, bounds, -0.25)), ArrowRight: () => move(moved(window, bounds, 0.25)), 0: () => move(bounds) };
  useEffect(() => onKeys(Object.fromEntries(Object.keys(keys.current).map((k) => [k, () => keys.current[k]()]))), []);
  const answer = load.data;
  const told = answer ? sentenceOf(summary(answer), answer) : '';
  return html`<div ref=${frame} class="chart-frame" aria-busy=${load.busy} id="chart">
    <div class="chart-tools" role="group" aria-label="Window of the chart">
      <span><time datetime=${rfc(window.from)}>${time(rfc(window.from))}</time> to <time datetime=${rfc(window.to)}>${time(rfc(window.to))}</time> UTC, ${span(window.to - window.from)}</span>
      <span class="grow"></span>
      <button type="button" aria-label="Earlier" onClick=${keys.current.ArrowLeft}>←</button><button type="button" aria-label="Later" onClick=${keys.current.ArrowRight}>→</button>
      <button type="button" aria-label="Closer" onClick=${keys.current['+']}>+</button><button type="button" aria-label="Further away" onClick=${keys.current['-']}>−</button>
      <button type="button" onClick=${keys.current[0]}>All</button></div>
    <${Failure} error=${load.error} again=${load.again} />
    ${answer && width > 0 && html`<${Canvas} answer=${answer} width=${width} findings=${findings} at=${at} label="Readings of ${words(answer.channel)}. ${told}"
      select=${(a, b) => move(scaled({ from: a, to: b }, bounds, 1))} />
      <p class="legend" aria-hidden="true"><span class="key key-series"></span>mean, lowest to highest <span class="key key-expected"></span>expected <span class="key key-finding"></span>finding <span class="key key-at"></span>as of. Drag to look closer.</p>
      <p class="summary" id="chart-summary">${told}</p><${Data} answer=${answer} />`}
    ${!answer && load.busy && html`<p role="status">Reading…</p>`}</div>`;
}
