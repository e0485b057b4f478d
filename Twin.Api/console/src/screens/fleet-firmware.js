import uPlot from 'uplot';
import { html } from 'htm/preact';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../api.js';
import { colour, theme } from '../frame.js';
import { count, plural } from '../pure/format.js';
import { useLoad } from '../ui/load.js';
import { dateMarks } from '../ui/dates.js';
import { Failure, Panel, Table } from '../ui/parts.js';

/** Versions drawn; those with the fewest meters are summed up as "others". */
const mostDrawn = 6;

const height = 220;

const nameOf = (v) => `${v.model ? `${v.model} ` : ''}${v.version}`;

const last = (v) => v.meters.at(-1) ?? 0;

/** The versions with the most meters, and the sum of the rest. */
export function drawn(versions) {
  const sorted = [...versions].sort((a, b) => last(b) - last(a));
  if (sorted.length <= mostDrawn) return sorted;
  const rest = sorted.slice(mostDrawn - 1);
  return [...sorted.slice(0, mostDrawn - 1), { model: '', version: `${rest.length} others`,
    meters: rest[0].meters.map((_, i) => rest.reduce((s, v) => s + (v.meters[i] ?? 0), 0)) }];
}

/** Each series on top of those before. */
function stacked(versions) {
  const sums = versions[0]?.meters.map(() => 0) ?? [];
  return versions.map((v) => v.meters.map((n, i) => (sums[i] += n ?? 0)));
}

function Plot({ days, versions }) {
  const box = useRef(null);
  const dark = theme.value;
  useEffect(() => {
    const x = days.map((d) => Date.parse(`${d}T00:00:00Z`) / 1000);
    const axis = { stroke: colour('ink'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line'), width: 1 } };
    const layers = stacked(versions).map((values, i) => ({ values, i })).reverse();
    const plot = new uPlot({ width: box.current.clientWidth, height, legend: { show: false }, cursor: { show: false },
      tzDate: (s) => uPlot.tzDate(new Date(s * 1e3), 'Etc/UTC'), axes: [{ ...axis, values: dateMarks }, { ...axis, size: 64 }],
      scales: { y: { range: (_, __, max) => [0, Math.max(1, max)] } },
      series: [{}, ...layers.map(({ i }) => ({ label: nameOf(versions[i]), fill: colour(`layer-${i + 1}`), stroke: colour('surface'), width: 1, points: { show: false } }))],
    }, [x, ...layers.map((l) => l.values)], box.current);
    const watch = new ResizeObserver(() => plot.setSize({ width: box.current.clientWidth, height }));
    watch.observe(box.current);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [days, versions, dark]);
  return html`<div ref=${box} class="chart" role="img" aria-label="Meters by firmware version over ${plural(days.length, 'day')}; the table has the figures."></div>`;
}

export function FirmwareChart({ days }) {
  const load = useLoad(`firmware${days}`, (abort) => get('/fleet/firmware', { days }, { abort }));
  const d = load.data;
  const versions = drawn(d?.versions ?? []);
  return html`<${Panel} id="firmware" title="Firmware versions" note=${d && plural(d.versions.length, 'version')}><${Failure} error=${load.error} again=${load.again} />
    ${d && versions.length > 0 && html`<${Plot} days=${d.days} versions=${versions} />
      <${Table} caption="Meters by version, first and last day" rows=${versions} columns=${[
        { head: 'Version', scope: 'row', cell: (v) => html`<span class="key layer-${versions.indexOf(v) + 1}" aria-hidden="true"></span>${nameOf(v)}` },
        { head: 'First day', class: 'number', cell: (v) => count(v.meters[0]) }, { head: 'Last day', class: 'number', cell: (v) => count(last(v)) }]} />`}
    ${d && versions.length === 0 && html`<p class="note">No meter has told its firmware yet.</p>`}</${Panel}>`;
}
