// Who signs in for their family may be a patient as well: their Person is then linked to a Patient
// by somebody who made sure (docs/guides/access.md). To anybody else their Person is not there.
import { type Client, Problem } from '../fhir/client';
import type { Person } from '../fhir/types';

const SURE = ['level3', 'level4'];

export function ownPatient(person: Person): string | undefined {
  const links = person.active === false ? [] : (person.link ?? []);
  const own = links.find(
    ({ target, assurance }) =>
      target.reference?.startsWith('Patient/') && SURE.includes(assurance ?? ''),
  );
  return own?.target.reference?.split('/')[1];
}

export async function loadSelf(client: Client): Promise<string | undefined> {
  const { user } = client.session;
  if (!user?.startsWith('Person/')) return undefined;
  try {
    return ownPatient(await client.get<Person>(user));
  } catch (e) {
    if (e instanceof Problem && e.kind === 'missing') return undefined;
    throw e;
  }
}
