// The node's own operations, below /carnet.
import { root } from '../node';
import { type Client, Problem } from './client';

export type Query = Readonly<Record<string, string | number | undefined>>;

// What a node counts it counts with the first question after its start: some seconds for a million
// records.
const WAITS_MS = [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000];

async function whenReady<T>(send: () => Promise<T>): Promise<T> {
  for (const ms of WAITS_MS) {
    try {
      return await send();
    } catch (e) {
      if (!(e instanceof Problem && e.kind === 'unready')) throw e;
    }
    await new Promise((done) => setTimeout(done, ms));
  }
  return send();
}

export async function ask<T>(client: Client, operation: string, query: Query): Promise<T> {
  const url = new URL(`carnet/${operation}`, root);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return whenReady(() => client.get<T>(url.href));
}
