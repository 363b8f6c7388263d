// What a health card's code says: which record it is of, as a FHIR search names an identifier
// (system|value), and nothing else (docs/decisions/0051). Pure.
import type { Identifier, Patient } from '../fhir/types';

// The official number where there is one: it means something in other places too.
export function numberOf(patient: Pick<Patient, 'identifier'>): Identifier | undefined {
  const list = (patient.identifier ?? []).filter((one) => one.value);
  return list.find((one) => one.use === 'official') ?? list[0];
}

export function codeText(patient: Pick<Patient, 'id' | 'identifier'>): string {
  const number = numberOf(patient);
  return number?.system ? `${number.system}|${number.value}` : `Patient/${patient.id}`;
}
