import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { linkTo } from '../place.js';
import { count, plural } from '../pure/format.js';

/** Rows drawn at once; more would be a wall that nobody reads. Those with the most findings come first. */
const mostRows = 40;

const level = (n) => (n === 0 ? 0 : n === 1 ? 1 : n <= 3 ? 2 : n <= 8 ? 3 : 4);

const shapes = { critical: '■', high: '▲', medium: '◆', low: '●', info: '○' };

const label = (row, day, cell) => (cell ? `${row.name}, ${day}: ${plural(cell.findings, 'finding')}, worst ${cell.worst}` : `${row.name}, ${day}: none`);

/**
 * Findings by row and day. A cell tells its number, and the worst severity by shape; days are brushed with the pointer,
 * and the two dates below do the same with the keyboard.
 */
export function HeatStrip({ of, from, to, brush }) {
  const [held, setHeld] = useState(null);
  const days = of.days ?? [];
  const all = (of.rows ?? []).map((r) => ({ ...r, sum: r.cells.reduce((s, c) => s + (c?.findings ?? 0), 0) }));
  const rows = all.filter((r) => r.sum > 0).sort((a, b) => b.sum - a.sum);
  const total = of.total ?? all.length;
  const inside = (i) => {
    if (held) return i >= Math.min(held.a, held.b) && i <= Math.max(held.a, held.b);
    return from && to && days[i] >= from.slice(0, 10) && days[i] < to.slice(0, 10);
  };
  const dayAt = (e) => {
    const cell = e.target instanceof Element ? e.target.closest('[data-day]') : null;
    return cell ? Number(cell.dataset.day) : null;
  };
  const end = () => {
    if (held) brush(days[Math.min(held.a, held.b)], days[Math.max(held.a, held.b)]);
    setHeld(null);
  };
  return html`<div class="scroll heat" role="group" aria-label="Findings by ${of.by} and day" tabindex="0"
      onPointerDown=${(e) => {
        const day = dayAt(e);
        if (day === null || e.button !== 0) return;
        e.preventDefault();
        setHeld({ a: day, b: day });
      }}
      onPointerMove=${(e) => held && dayAt(e) !== null && setHeld({ ...held, b: dayAt(e) })} onPointerUp=${end} onPointerLeave=${() => setHeld(null)}>
    <table><caption class="unseen">Number of findings by ${of.by} and day</caption>
      <thead><tr><th scope="col">${of.by}</th>${days.map((d, i) => html`<th scope="col" data-day=${i} class="day ${inside(i) ? 'inside' : ''}"><span class="unseen">${d}</span><span aria-hidden="true" title=${d}>${
        i === 0 || d.endsWith('-01') || i % 7 === 0 ? d.slice(5) : ''}</span></th>`)}<th scope="col" class="number">Sum</th></tr></thead>
      <tbody>${rows.slice(0, mostRows).map((row) => html`<tr key=${row.key ?? row.name}><th scope="row">${of.by === 'feeder'
        ? html`<a href=${linkTo('meters', null, { feeder: row.name })}>${row.name}</a>` : row.name} <small>${plural(row.meters, 'meter')}</small></th>
        ${row.cells.map((cell, i) => html`<td key=${i} data-day=${i} class="cell level-${level(cell?.findings ?? 0)} ${inside(i) ? 'inside' : ''}" title=${label(row, days[i], cell)}>${
          cell ? html`<span aria-hidden="true">${shapes[cell.worst] ?? ''}</span><span class="unseen">${cell.findings}, worst ${cell.worst}</span>` : html`<span class="unseen">0</span>`}</td>`)}
        <td class="number">${count(row.sum)}</td></tr>`)}</tbody></table></div>
    <p class="legend"><span aria-hidden="true"><span class="cell level-1 sample"></span> 1 <span class="cell level-2 sample"></span> 2–3 <span class="cell level-3 sample"></span> 4–8 <span class="cell level-4 sample"></span> more · worst ■ critical ▲ high ◆ medium ● low ○ info</span></p>
    <p class="summary">${rows.length === 0 ? `No ${of.by} had a finding in these ${days.length} days.` : html`${plural(rows.reduce((s, r) => s + r.sum, 0), 'finding')} in ${plural(days.length, 'day')} on ${
      plural(rows.length, of.by)} of ${count(total)}; most on ${rows[0].name}: ${rows[0].sum}.${rows.length > mostRows && ` The ${mostRows} with the most are shown.`}`}</p>`;
}
