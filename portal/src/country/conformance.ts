// The MeasureReport of $conformance as a list of senders, those who fall short most first. Pure.
import type { CodeableConcept } from '../fhir/types';

interface Population {
  code?: CodeableConcept;
  count?: number;
}

export interface Report {
  group?: {
    code?: CodeableConcept;
    population?: Population[];
    stratifier?: { stratum?: { value?: CodeableConcept; population?: Population[] }[] }[];
  }[];
}

export interface Sender {
  name: string;
  received: number;
  short: number;
  rules: { rule: string; count: number }[];
}

function countOf(list: readonly Population[] | undefined, code: string): number {
  return list?.find((one) => one.code?.coding?.[0]?.code === code)?.count ?? 0;
}

export function readSenders(report: Report): Sender[] {
  return (report.group ?? [])
    .map(({ code, population, stratifier }) => ({
      name: code?.text ?? '',
      received: countOf(population, 'denominator'),
      short: countOf(population, 'numerator'),
      rules: (stratifier?.[0]?.stratum ?? [])
        .map(({ value, population: of }) => ({
          rule: value?.text ?? '',
          count: countOf(of, 'numerator'),
        }))
        .sort((a, b) => b.count - a.count),
    }))
    .sort((a, b) => b.short - a.short || a.name.localeCompare(b.name));
}
