// Small questions to resources.
import type { CodeableConcept, Coding, HumanName, Quantity } from './types';

export const systems = {
  cvx: 'http://hl7.org/fhir/sid/cvx',
  loinc: 'http://loinc.org',
  icd11: 'http://id.who.int/icd/release/11/mms',
} as const;

function nameText(name: HumanName): string {
  return name.text ?? [...(name.given ?? []), name.family ?? ''].join(' ').trim();
}

// The official name, and another spelling of it where there is one.
export function namesOf(names: HumanName[] | undefined): { name: string; other?: string } {
  const [first, second] = (names ?? []).map(nameText).filter((text) => text !== '');
  return { name: first ?? '', ...(second && second !== first ? { other: second } : {}) };
}

export function codeIn(concept: CodeableConcept | undefined, system: string): string | undefined {
  return concept?.coding?.find((coding) => coding.system === system)?.code;
}

export function firstCode(concept: CodeableConcept | undefined): Coding | undefined {
  return concept?.coding?.[0];
}

export function conceptText(concept: CodeableConcept | undefined): string {
  const coding = firstCode(concept);
  return concept?.text ?? coding?.display ?? coding?.code ?? '';
}

export function hasCode(concept: CodeableConcept | undefined, ...codes: string[]): boolean {
  return concept?.coding?.some((coding) => codes.includes(coding.code ?? '')) ?? false;
}

export function quantityUnit(quantity: Quantity): string {
  return quantity.unit ?? quantity.code ?? '';
}

export function dayOf(dateTime: string | undefined): string {
  return dateTime?.slice(0, 10) ?? '';
}
