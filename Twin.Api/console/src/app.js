import { html } from 'htm/preact';
import { render } from 'preact';
import { signal } from '@preact/signals';
import uPlot from 'uplot';

const ready = signal(typeof uPlot);
render(html`<main><h1>MeterTwin</h1><p>${ready}</p></main>`, document.getElementById('console'));
