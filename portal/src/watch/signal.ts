// A signal, as its Task says it (docs/formats/signals.md). Pure.
import type { CodeableConcept, Coding, Reference, Resource } from '../fhir/types';

export const OVERDUE_MS = 24 * 3_600_000; // by then somebody should have looked

interface Input {
  type: CodeableConcept;
  valueString?: string;
  valueInteger?: number;
  valueDecimal?: number;
  valueBoolean?: boolean;
}

export interface SignalTask extends Resource {
  resourceType: 'Task';
  status: string;
  priority?: string;
  businessStatus?: { coding?: Coding[] };
  reasonCode?: { coding?: Coding[] };
  focus?: Reference;
  authoredOn?: string;
  input?: Input[];
}

export interface Signal {
  id: string;
  disease: string;
  title: string; // of the disease, as the node names it
  place?: string; // id of a Location; none: the whole country
  isUrgent: boolean;
  state: string;
  isOpen: boolean; // people have not ended it
  found: string; // instant
  week: string;
  firstWeek: string;
  isWeekOpen: boolean;
  count: number;
  expected?: number;
  threshold?: number;
  chance?: number; // p
  method?: string;
  rule?: { source: string; cases: number; weeks: number; count: number };
}

const ENDED = ['completed', 'rejected', 'failed', 'cancelled', 'entered-in-error'];

export function readSignal(task: SignalTask): Signal {
  const input = (code: string) =>
    task.input?.find(({ type }) => type.coding?.some((coding) => coding.code === code));
  const text = (code: string) => input(code)?.valueString;
  const count = (code: string) => input(code)?.valueInteger ?? 0;
  const decimal = (code: string) => input(code)?.valueDecimal;
  const disease = task.reasonCode?.coding?.[0];
  const place = task.focus?.reference?.split('/').at(-1);
  const source = text('rule-source');
  const method = text('method');
  const optional = <K extends 'expected' | 'threshold' | 'chance'>(name: K, code: string) => {
    const value = decimal(code);
    return value === undefined ? {} : { [name]: value };
  };
  return {
    id: task.id ?? '',
    disease: disease?.code ?? '',
    title: disease?.display ?? disease?.code ?? '',
    ...(place ? { place } : {}),
    isUrgent: task.priority === 'urgent',
    state: task.businessStatus?.coding?.[0]?.code ?? 'triage',
    isOpen: !ENDED.includes(task.status),
    found: task.authoredOn ?? '',
    week: text('week') ?? '',
    firstWeek: text('first-week') ?? '',
    isWeekOpen: input('week-open')?.valueBoolean ?? false,
    count: count('count'),
    ...optional('expected', 'expected'),
    ...optional('threshold', 'threshold'),
    ...optional('chance', 'p'),
    ...(method ? { method } : {}),
    ...(source
      ? {
          rule: {
            source,
            cases: count('rule-cases'),
            weeks: count('rule-weeks'),
            count: count('rule-count'),
          },
        }
      : {}),
  };
}

// Nobody has looked at it in the time that one should.
export function isOverdue(signal: Signal, now: number): boolean {
  return signal.state === 'triage' && now - Date.parse(signal.found) > OVERDUE_MS;
}

// What needs somebody first: urgent before others, then who has waited longest.
export function byUrgency(a: Signal, b: Signal): number {
  return Number(b.isUrgent) - Number(a.isUrgent) || Date.parse(a.found) - Date.parse(b.found);
}
