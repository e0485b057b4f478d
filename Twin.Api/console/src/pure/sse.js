// Server-sent events read from a stream, with what is needed to go on after a break: the id of the last event that was
// taken in. The browser's own EventSource gives up for good on an error answer and forgets that id on a reload.

/** Feeds text in pieces, as the network cuts it; calls take({ id, event, data }) for each whole event. */
export class EventReader {
  #rest = '';
  #fields = fresh();

  constructor(take) {
    this.take = take;
    this.retry = null;
  }

  push(text) {
    this.#rest += text;
    // A CR at the very end may be the first half of CRLF: it waits for the next piece.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === '') return this.#end();
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#fields.data.push(value);
    else if (name === 'event') this.#fields.event = value;
    else if (name === 'id' && !value.includes('\0')) this.#fields.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
  }

  #end() {
    const { id, event, data } = this.#fields;
    this.#fields = fresh();
    if (data.length > 0) this.take({ id, event: event || 'message', data: data.join('\n') });
  }
}

const fresh = () => ({ id: null, event: '', data: [] });

export const shortestWait = 1000;
export const longestWait = 30_000;

/** Milliseconds to wait before try number n (from 0): doubling, with up to a quarter taken off so that consoles spread. */
export function wait(n, chance = Math.random()) {
  const full = Math.min(longestWait, shortestWait * 2 ** Math.min(n, 10));
  return Math.round(full * (1 - chance / 4));
}
