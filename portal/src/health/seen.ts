// Entries of the audit log about one person, as lines that people read.
import type { Client } from '../fhir/client';
import type { AuditEvent } from '../fhir/types';

export interface Seen {
  id: string;
  when: string;
  action: string;
  role: string;
  name: string;
  refused: boolean;
  isOwn: boolean;
}

// One's own looks: by one's account, or by another of a patient's.
function asSeen(event: AuditEvent, account: string | undefined): Seen {
  const who = event.agent.find((agent) => agent.requestor);
  const role = who?.role?.[0]?.text ?? '';
  return {
    id: event.id ?? '',
    when: event.recorded,
    action: event.action ?? '',
    role,
    name: who?.name ?? '',
    refused: event.outcome !== undefined && event.outcome !== '0',
    isOwn: role === 'patient' || (account !== undefined && who?.who?.identifier?.value === account),
  };
}

export async function loadSeen(client: Client, patient: string): Promise<Seen[]> {
  const path = `AuditEvent?patient=${patient}&_count=200`;
  const bundle = await client.get<{ entry?: { resource: AuditEvent }[] }>(path);
  return (bundle.entry ?? []).map((entry) => asSeen(entry.resource, client.session.account));
}

// Looks of one person on one day are one line.
export interface Group {
  last: Seen;
  all: Seen[];
}

export function grouped(list: readonly Seen[]): Group[] {
  const groups = new Map<string, Group>();
  for (const one of list) {
    const { when, name, role, action, refused } = one;
    const key = JSON.stringify([when.slice(0, 10), name, role, action, refused]);
    const group = groups.get(key) ?? { last: one, all: [] };
    group.all.push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
}
