// The node's own operations, below /carnet.
import { root } from '../node';
import type { Client } from './client';

export type Query = Readonly<Record<string, string | number | undefined>>;

export async function ask<T>(client: Client, operation: string, query: Query): Promise<T> {
  const url = new URL(`carnet/${operation}`, root);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return client.get<T>(url.href);
}
