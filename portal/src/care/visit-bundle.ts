// A visit as one transaction: the encounter, what was answered, and what the node made of the
// answers. All of it is stored, or nothing is; ids are made by the page, and the response is stored
// only where it is not yet: sending twice stores once. Pure.
import type { Bundle, Resource } from '../fhir/types';
import type { FormResponse, ResponseItem } from '../forms/types';

export interface Visit {
  response: string; // ids, fresh UUIDs
  encounter: string;
  form: string; // canonical of the Questionnaire
  patient: string;
  user: string; // "Practitioner/1"
  organization?: string | undefined; // reference
  start: string; // instants
  end: string;
  items: ResponseItem[];
}

interface Entry {
  fullUrl?: string;
  resource?: Resource;
  request: { method: string; url: string; ifMatch?: string; ifNoneMatch?: string };
}

export type Transaction = Resource & { type: 'transaction'; entry?: Entry[] };

export function responseOf(visit: Visit): FormResponse {
  return {
    resourceType: 'QuestionnaireResponse',
    id: visit.response,
    questionnaire: visit.form,
    status: 'completed',
    subject: { reference: `Patient/${visit.patient}` },
    encounter: { reference: `Encounter/${visit.encounter}` },
    authored: visit.end,
    author: { reference: visit.user },
    ...(visit.items.length ? { item: visit.items } : {}),
  };
}

function encounterOf(visit: Visit): Resource {
  return {
    resourceType: 'Encounter',
    id: visit.encounter,
    ...{
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: `Patient/${visit.patient}` },
      participant: [{ individual: { reference: visit.user } }],
      period: { start: visit.start, end: visit.end },
      ...(visit.organization ? { serviceProvider: { reference: visit.organization } } : {}),
    },
  };
}

// `made`: what $extract gave for the response.
export function visitBundle(visit: Visit, made: Transaction): Bundle {
  const own: Entry[] = [encounterOf(visit), responseOf(visit)].map((resource) => ({
    resource,
    request: {
      method: 'PUT',
      url: `${resource.resourceType}/${resource.id}`,
      ...(resource.resourceType === 'QuestionnaireResponse' ? { ifNoneMatch: '*' } : {}),
    },
  }));
  return {
    resourceType: 'Bundle',
    ...{ type: 'transaction', entry: [...own, ...(made.entry ?? [])] },
  };
}
