// The forms that a visit may be recorded by: the country's, and one of the portal's own.
import own from '../data/visit.json';
import { type Client, Problem } from '../fhir/client';
import type { Bundle, Parameters, Resource } from '../fhir/types';
import { loadOptions } from '../forms/options';
import type { Form, FormResponse } from '../forms/types';

export const OWN = own as unknown as Form;

const LIST = 'Questionnaire?status=active&_elements=url,version,title,name,subjectType&_count=100';

function isOfPatients({ subjectType }: Form): boolean {
  return !subjectType || subjectType.includes('Patient');
}

export async function loadForms(client: Client): Promise<Form[]> {
  const { list } = await client.all<Form>(LIST);
  return list.filter(isOfPatients);
}

export async function loadForm(client: Client, id: string): Promise<Form> {
  return id === OWN.id ? OWN : client.get<Form>(`Questionnaire/${id}`);
}

interface Role extends Resource {
  organization?: { reference?: string };
}

// Where the one who is signed in works, if that is known.
export async function workplace(client: Client): Promise<string | undefined> {
  const user = client.session.user;
  if (!user?.startsWith('Practitioner/')) return undefined;
  const roles = await client.get<Bundle<Role>>(`PractitionerRole?practitioner=${user}&_count=1`);
  return roles.entry?.[0]?.resource?.organization?.reference;
}

// What every visit needs, so that it is there when the connection is not: forms, the codes that
// they offer, and where one works. Nothing of any patient.
export async function loadAhead(client: Client): Promise<void> {
  await workplace(client);
  for (const { id } of await loadForms(client))
    if (id) await loadOptions(client, await loadForm(client, id));
}

// What the node knows already of what a form asks; without a connection the form begins empty.
export async function fillForm(
  client: Client,
  form: Form,
  patient: string,
): Promise<FormResponse | undefined> {
  try {
    const reply = await client.operation<Parameters>('Questionnaire/$populate', [
      { name: 'questionnaire', resource: form },
      { name: 'subject', valueReference: { reference: `Patient/${patient}` } },
    ]);
    const found = reply.parameter?.find(({ name }) => name === 'response');
    return found?.resource as FormResponse | undefined;
  } catch (e) {
    if (e instanceof Problem && e.kind === 'offline') return undefined;
    throw e;
  }
}
