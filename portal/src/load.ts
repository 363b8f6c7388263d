// A value that comes from the node: loading, there, or not to be had.
import { useCallback, useEffect, useState } from 'preact/hooks';
import { Problem } from './fhir/client';

export type Load<T> =
  | { state: 'loading' }
  | { state: 'ready'; value: T }
  | { state: 'failed'; problem: Problem };

export function asProblem(e: unknown): Problem {
  return e instanceof Problem ? e : new Problem('failed', String(e));
}

// Loads anew when `key` changes, or when `again` is called.
export function useLoad<T>(load: () => Promise<T>, key: string): Load<T> & { again: () => void } {
  const [result, setResult] = useState<Load<T>>({ state: 'loading' });
  const [round, setRound] = useState(0);
  // `key` stands for all that `load` reads.
  useEffect(() => {
    let isCurrent = true;
    setResult({ state: 'loading' });
    load().then(
      (value) => isCurrent && setResult({ state: 'ready', value }),
      (e) => isCurrent && setResult({ state: 'failed', problem: asProblem(e) }),
    );
    return () => {
      isCurrent = false;
    };
  }, [key, round]);
  const again = useCallback(() => setRound((n) => n + 1), []);
  return { ...result, again };
}
