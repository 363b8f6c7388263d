// One person's record, read whole and once: all pages of it then answer at once.
import type { Client } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type {
  AllergyIntolerance,
  Appointment,
  Condition,
  Encounter,
  HumanName,
  Immunization,
  MedicationRequest,
  Named,
  Observation,
  Patient,
  Reference,
  Resource,
} from '../fhir/types';

const PAGE = 1000;

export interface HealthRecord {
  patient: Patient;
  encounters: Encounter[]; // the latest first, as all lists
  conditions: Condition[];
  observations: Observation[];
  medicines: MedicationRequest[];
  allergies: AllergyIntolerance[];
  immunizations: Immunization[];
  appointments: Appointment[];
  all: Resource[];
  more: boolean; // there is more than was read
  nameOf: (reference: Reference | undefined) => string; // of people and places
}

function nameIn(resource: Named | undefined): string {
  const name = resource?.name;
  return typeof name === 'string' ? name : namesOf(name as HumanName[] | undefined).name;
}

function latestFirst<T>(list: T[], when: (one: T) => string | undefined): T[] {
  return list.sort((a, b) => (when(b) ?? '').localeCompare(when(a) ?? ''));
}

export async function loadRecord(client: Client, patient: string): Promise<HealthRecord> {
  const path = `Patient/${patient}/$everything?_count=${PAGE}`;
  const { list, more } = await client.all<Resource>(path);
  const of = <T extends Resource>(type: T['resourceType']) =>
    list.filter((one): one is T => one.resourceType === type);
  const byReference = new Map(list.map((one) => [`${one.resourceType}/${one.id}`, one]));
  const person = of<Patient>('Patient').find((one) => one.id === patient);
  if (!person) throw new Error('the record does not hold its patient');
  return {
    patient: person,
    encounters: latestFirst(of<Encounter>('Encounter'), (e) => e.period?.start),
    conditions: latestFirst(of<Condition>('Condition'), (c) => c.onsetDateTime ?? c.recordedDate),
    observations: latestFirst(of<Observation>('Observation'), (o) => o.effectiveDateTime),
    medicines: latestFirst(of<MedicationRequest>('MedicationRequest'), (m) => m.authoredOn),
    allergies: of<AllergyIntolerance>('AllergyIntolerance'),
    immunizations: latestFirst(of<Immunization>('Immunization'), (i) => i.occurrenceDateTime),
    appointments: of<Appointment>('Appointment'),
    all: list,
    more,
    nameOf: (to) => to?.display ?? nameIn(byReference.get(to?.reference ?? '') as Named),
  };
}

// Active problems are those that nobody called over.
export function isActive(condition: Condition): boolean {
  const status = condition.clinicalStatus?.coding?.[0]?.code;
  return status === undefined || ['active', 'recurrence', 'relapse'].includes(status);
}

export interface Series {
  code: string;
  name: string;
  unit: string;
  points: { when: string; value: number }[]; // the oldest first
  last: Observation | undefined;
}

// Numbers over time, one series a code; parts of a panel are series of their own.
export function seriesOf(observations: readonly Observation[]): Series[] {
  const found = new Map<string, Series>();
  const add = (part: Pick<Observation, 'code' | 'valueQuantity'>, of: Observation) => {
    const coding = part.code?.coding?.[0];
    const value = part.valueQuantity?.value;
    if (!coding?.code || value === undefined || !of.effectiveDateTime) return;
    const series = found.get(coding.code) ?? {
      code: coding.code,
      name: part.code?.text ?? coding.display ?? coding.code,
      unit: part.valueQuantity?.unit ?? part.valueQuantity?.code ?? '',
      points: [],
      last: of,
    };
    series.points.unshift({ when: of.effectiveDateTime, value });
    found.set(coding.code, series);
  };
  for (const one of observations) {
    add(one, one);
    for (const part of one.component ?? []) add(part, one);
  }
  return [...found.values()];
}
