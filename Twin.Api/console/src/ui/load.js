import { useEffect, useRef, useState } from 'preact/hooks';

/**
 * What a request answered, asked anew whenever the key changes or again() is called. The answer before stays on show
 * meanwhile, so that nothing jumps.
 */
export function useLoad(key, ask) {
  const [state, setState] = useState({ data: null, error: null, busy: true, key: null });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === null) return undefined;
    const abort = new AbortController();
    setState((s) => ({ ...s, busy: true }));
    latest.current(abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, error: null, busy: false, key }),
      (error) => error.name === 'AbortError'
        || abort.signal.aborted || setState((s) => ({ data: s.key === key ? s.data : null, error, busy: false, key })));
    return () => abort.abort();
  }, [key, round]);
  return { ...state, again: () => setRound((n) => n + 1), put: (data) => setState((s) => ({ ...s, data })) };
}
