// Access to one person's record in an emergency: a token beside that of whoever is signed in, for a
// while (docs/guides/access.md). Kept as long as the tab, and forgotten when they sign out.
import type { Session } from '../auth/session';
import { Client } from '../fhir/client';
import type { Parameters } from '../fhir/types';

const GLASS = 'carnet.glass';

export const REASON_MIN = 10; // bytes
export const REASON_MAX = 1000;

interface Glass {
  patient: string;
  token: string;
  until: number; // ms
}

function all(): Glass[] {
  const kept: Glass[] = JSON.parse(sessionStorage.getItem(GLASS) ?? '[]');
  return kept.filter((glass) => glass.until > Date.now());
}

function keep(list: readonly Glass[]): void {
  sessionStorage.setItem(GLASS, JSON.stringify(list));
}

// How many bytes a reason has, as the node counts them.
export function sizeOf(reason: string): number {
  return new TextEncoder().encode(reason.trim()).length;
}

export async function breakGlass(
  client: Client,
  patient: string,
  reason: string,
  minutes: number,
): Promise<void> {
  const answer = await client.operation<Parameters>(`Patient/${patient}/$break-glass`, [
    { name: 'reason', valueString: reason.trim() },
    { name: 'minutes', valueInteger: minutes },
  ]);
  const part = (name: string) => answer.parameter?.find((one) => one.name === name);
  const glass = {
    patient,
    token: part('access_token')?.valueString ?? '',
    until: Date.parse(part('expires')?.valueInstant ?? ''),
  };
  keep([...all().filter((one) => one.patient !== patient), glass]);
}

// The client for a person's record, and until when their glass is broken, if it is.
export function clientFor(client: Client, patient: string): { client: Client; until?: number } {
  const glass = all().find((one) => one.patient === patient);
  if (!glass) return { client };
  const session: Session = { ...client.session, token: glass.token, until: glass.until };
  const ended = () => keep(all().filter((one) => one.patient !== patient));
  return { client: new Client(session, ended), until: glass.until };
}
