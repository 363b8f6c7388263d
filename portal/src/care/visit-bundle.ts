// A visit as one transaction: all of it is stored, or nothing is. Ids are made by the page, so that
// sending it twice stores it once. Pure.
import { systems } from '../fhir/read';
import type { Bundle, Resource } from '../fhir/types';
import { measures } from './measures';

export interface Visit {
  ids: readonly string[]; // fresh UUIDs: of the encounter, then of what hangs on it
  patient: string;
  user: string; // "Practitioner/1"
  organization: string | undefined; // reference
  start: string; // instants
  end: string;
  values: ReadonlyMap<string, number>; // by measure
  note: string;
}

export const IDS = 2 + measures.length;

export function visitBundle(visit: Visit): Bundle {
  const [encounterId = '', conditionId = '', ...rest] = visit.ids;
  const subject = { reference: `Patient/${visit.patient}` };
  const encounter = { reference: `Encounter/${encounterId}` };
  const resources: (Resource & Record<string, unknown>)[] = [
    {
      resourceType: 'Encounter',
      id: encounterId,
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject,
      participant: [{ individual: { reference: visit.user } }],
      period: { start: visit.start, end: visit.end },
      ...(visit.organization ? { serviceProvider: { reference: visit.organization } } : {}),
    },
  ];
  measures.forEach((measure, i) => {
    const value = visit.values.get(measure.code);
    if (value === undefined) return;
    resources.push({
      resourceType: 'Observation',
      id: rest[i] ?? '',
      status: 'final',
      category: [
        {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/observation-category',
              code: 'vital-signs',
            },
          ],
        },
      ],
      code: { coding: [{ system: systems.loinc, code: measure.code, display: measure.display }] },
      subject,
      encounter,
      effectiveDateTime: visit.end,
      performer: [{ reference: visit.user }],
      valueQuantity: {
        value,
        unit: measure.unit,
        system: 'http://unitsofmeasure.org',
        code: measure.ucum,
      },
    });
  });
  if (visit.note)
    resources.push({
      resourceType: 'Condition',
      id: conditionId,
      clinicalStatus: {
        coding: [
          { system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' },
        ],
      },
      category: [
        {
          coding: [
            {
              system: 'http://terminology.hl7.org/CodeSystem/condition-category',
              code: 'encounter-diagnosis',
            },
          ],
        },
      ],
      code: { text: visit.note },
      subject,
      encounter,
      recordedDate: visit.end,
    });
  return {
    resourceType: 'Bundle',
    ...{ type: 'transaction' },
    entry: resources.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    })),
  };
}
