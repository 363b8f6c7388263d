// What all pages of My health share: who asks, and the record.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Client } from '../fhir/client';
import type { NodeInfo } from '../node';
import type { HealthRecord } from './record';

export interface Health {
  client: Client;
  node: NodeInfo;
  record: HealthRecord;
  base: string; // the address of its pages: "#/health"
  isOwn: boolean; // the record is of whoever is signed in
}

export const HealthContext = createContext<Health | undefined>(undefined);

export function useHealth(): Health {
  const health = useContext(HealthContext);
  if (!health) throw new Error('there is no record');
  return health;
}
