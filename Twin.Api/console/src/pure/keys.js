// Every keyboard shortcut there is, in one table: the help dialog shows it, docs/guides/console.md repeats it, and a
// test holds the two equal. Single keys work while no field is being typed into.

export const shortcuts = [
  { screen: 'anywhere', keys: '?', does: 'this help' },
  { screen: 'anywhere', keys: 'g t', does: 'go to triage' },
  { screen: 'anywhere', keys: 'g m', does: 'go to meters' },
  { screen: 'anywhere', keys: 'g f', does: 'go to the fleet' },
  { screen: 'anywhere', keys: 'g p', does: 'go to policies and replay' },
  { screen: 'anywhere', keys: '/', does: 'search' },
  { screen: 'anywhere', keys: '.', does: 'refresh what is shown' },
  { screen: 'anywhere', keys: 'Escape', does: 'close the dialog, leave the field' },
  { screen: 'triage', keys: 'j', does: 'next case' },
  { screen: 'triage', keys: 'k', does: 'case before' },
  { screen: 'triage', keys: 'Enter', does: 'open the case' },
  { screen: 'triage', keys: 'x', does: 'select the case, or no longer' },
  { screen: 'triage and case', keys: 'a', does: 'acknowledge, assigned to me' },
  { screen: 'triage and case', keys: 's', does: 'suppress its subject for a time' },
  { screen: 'triage and case', keys: 'r', does: 'resolve, with a disposition' },
  { screen: 'case', keys: 'c', does: 'comment' },
  { screen: 'case', keys: 'p', does: 'propose a response' },
  { screen: 'case', keys: 'm', does: 'open the meter of the case' },
  { screen: 'case', keys: 'i', does: 'sign in as somebody else on this page' },
  { screen: 'meter chart', keys: '+', does: 'closer' },
  { screen: 'meter chart', keys: '-', does: 'further away' },
  { screen: 'meter chart', keys: 'ArrowLeft', does: 'earlier' },
  { screen: 'meter chart', keys: 'ArrowRight', does: 'later' },
  { screen: 'meter chart', keys: '0', does: 'all of it' },
];

/** Longest time between the two keys of a pair, milliseconds. */
export const pairMs = 1500;

/** Follows keys as they come; answers the name of a shortcut ("g t", "j") when one is complete, else null. */
export class KeyReader {
  #before = null;
  #beforeAt = 0;

  constructor(names) {
    this.names = new Set(names);
    this.firsts = new Set([...this.names].filter((n) => n.includes(' ')).map((n) => n.split(' ')[0]));
  }

  press(key, at) {
    if (this.#before !== null && at - this.#beforeAt <= pairMs) {
      const pair = `${this.#before} ${key}`;
      this.#before = null;
      if (this.names.has(pair)) return pair;
    }
    if (this.firsts.has(key)) {
      this.#before = key;
      this.#beforeAt = at;
      return null;
    }
    this.#before = null;
    return this.names.has(key) ? key : null;
  }
}
