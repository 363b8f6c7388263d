// A visit on its way to the node: its answers become records there, and all is stored at once.
import { type Client, Problem } from '../fhir/client';
import type { Parameters, Resource } from '../fhir/types';
import type { Form, FormResponse } from '../forms/types';
import { responseOf, type Transaction, type Visit, visitBundle } from './visit-bundle';

interface Outcome extends Resource {
  issue?: { severity?: string; details?: { text?: string } }[];
}

// `form`: where the node does not have it.
async function extract(client: Client, visit: Visit, form?: Form): Promise<Transaction> {
  const reply = await client.operation<Parameters>('QuestionnaireResponse/$extract', [
    { name: 'questionnaire-response', resource: responseOf(visit) },
    ...(form ? [{ name: 'questionnaire', resource: form }] : []),
  ]);
  const part = (name: string) => reply.parameter?.find((one) => one.name === name)?.resource;
  const issues = (part('issues') as Outcome | undefined)?.issue ?? [];
  // A form that says what cannot be is the country's to mend; half of a visit is not stored.
  const wrong = issues.find(({ severity }) => severity === 'error');
  if (wrong) throw new Problem('failed', wrong.details?.text ?? '');
  return part('return') as Transaction;
}

// Whether it arrived before, and only the answer was lost: as it is, not as it was before somebody
// changed it and saved it again.
async function isStored(client: Client, visit: Visit): Promise<boolean> {
  try {
    const path = `QuestionnaireResponse/${visit.response}`;
    return (await client.get<FormResponse>(path)).authored === visit.end;
  } catch (e) {
    if (e instanceof Problem && e.kind === 'missing') return false;
    throw e;
  }
}

export async function sendVisit(client: Client, visit: Visit, form?: Form): Promise<void> {
  const made = await extract(client, visit, form);
  try {
    await client.transaction(visitBundle(visit, made));
  } catch (e) {
    if (e instanceof Problem && e.kind === 'conflict' && (await isStored(client, visit))) return;
    throw e;
  }
}
