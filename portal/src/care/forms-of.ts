// The forms that a visit may be recorded by: the country's, and one of the portal's own.
import own from '../data/visit.json';
import type { Client } from '../fhir/client';
import type { Parameters } from '../fhir/types';
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

// What the node knows already of what a form asks.
export async function fillForm(
  client: Client,
  form: Form,
  patient: string,
): Promise<FormResponse | undefined> {
  const reply = await client.operation<Parameters>('Questionnaire/$populate', [
    { name: 'questionnaire', resource: form },
    { name: 'subject', valueReference: { reference: `Patient/${patient}` } },
  ]);
  const found = reply.parameter?.find(({ name }) => name === 'response');
  return found?.resource as FormResponse | undefined;
}
