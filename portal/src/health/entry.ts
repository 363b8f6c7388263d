// What an entry of a record is called, and of when it is. Pure.
import { codeIn, conceptText, namesOf, systems } from '../fhir/read';
import type {
  CodeableConcept,
  Encounter,
  HumanName,
  Immunization,
  Observation,
  Resource,
} from '../fhir/types';
import type { I18n } from '../i18n';
import { vaccineName } from './doses';

// The members by which most types say what they are.
interface Said extends Resource {
  name?: HumanName[];
  description?: string;
  code?: CodeableConcept;
  type?: CodeableConcept | CodeableConcept[];
  medicationCodeableConcept?: CodeableConcept;
}

interface Dated extends Resource {
  effectiveDateTime?: string;
  occurrenceDateTime?: string;
  onsetDateTime?: string;
  authoredOn?: string;
  recordedDate?: string;
  date?: string;
  issued?: string;
  period?: { start?: string };
}

export function visitName(i18n: I18n, visit: Encounter): string {
  const type = visit.type?.[0];
  return (
    i18n.find(`visit.${type?.coding?.[0]?.code}`) ?? (conceptText(type) || i18n.t('visit.other'))
  );
}

function resultName(i18n: I18n, one: Observation): string {
  const name = i18n.find(`result.${one.code?.coding?.[0]?.code}`) ?? conceptText(one.code);
  const { value, unit, code } = one.valueQuantity ?? {};
  return value === undefined ? name : `${name}: ${i18n.number(value)} ${unit ?? code ?? ''}`.trim();
}

export function entryName(i18n: I18n, one: Resource): string {
  const { name, description, code, type, medicationCodeableConcept }: Said = one;
  if (one.resourceType === 'Patient') return namesOf(name).name;
  if (one.resourceType === 'Encounter') return visitName(i18n, one as Encounter);
  if (one.resourceType === 'Observation') return resultName(i18n, one as Observation);
  if (one.resourceType === 'Immunization') {
    const { vaccineCode } = one as Immunization;
    return vaccineName(i18n, codeIn(vaccineCode, systems.cvx), conceptText(vaccineCode));
  }
  const kind = Array.isArray(type) ? type[0] : type;
  return (
    description ||
    conceptText(code ?? medicationCodeableConcept ?? kind) ||
    i18n.t('documents.unnamed')
  );
}

export function entryDay(one: Resource): string | undefined {
  const dated: Dated = one;
  return (
    dated.effectiveDateTime ??
    dated.occurrenceDateTime ??
    dated.onsetDateTime ??
    dated.period?.start ??
    dated.authoredOn ??
    dated.date ??
    dated.issued ??
    dated.recordedDate
  );
}
