// What changed while a page of cases is being read. Rows stay where they are; this counts what a refresh would bring.

/** Most cases counted one by one; beyond, the bar says "more than". */
export const mostChanged = 500;

export const nothing = { ids: [], isMore: false, responses: 0 };

/** A case without its number: events about its responses name it so. */
export const caseKey = (id) => id.split('-')[0];

export const isNews = (news, id) => news.ids.includes(caseKey(id));

/** Takes an event of the stream in. An event about no case, or one already counted, changes nothing. */
export function withEvent(news, event) {
  const id = event.case && caseKey(event.case);
  if (!id || !['case', 'response', 'act', 'finding'].includes(event.kind)) return news;
  if (news.ids.includes(id)) return news;
  if (news.ids.length >= mostChanged) return news.isMore ? news : { ...news, isMore: true };
  return { ...news, ids: [...news.ids, id] };
}

export function sentence(news) {
  const n = news.ids.length;
  if (n === 0) return '';
  return `${news.isMore ? `more than ${n}` : n} ${n === 1 && !news.isMore ? 'case' : 'cases'} changed`;
}

/** Says at most one thing every so many milliseconds, the newest; a screen reader is not flooded. */
export class Throttle {
  #next = 0;
  #timer = null;
  #text = '';

  constructor(say, everyMs, clock = () => Date.now(), later = (f, ms) => setTimeout(f, ms)) {
    Object.assign(this, { say, everyMs, clock, later });
  }

  push(text) {
    this.#text = text;
    if (this.#timer !== null) return;
    const delay = Math.max(0, this.#next - this.clock());
    if (delay === 0) return this.#speak();
    this.#timer = this.later(() => {
      this.#timer = null;
      this.#speak();
    }, delay);
  }

  #speak() {
    this.#next = this.clock() + this.everyMs;
    this.say(this.#text);
  }
}
