// A form that is being filled: what stands in each of its questions, which are asked, and what is
// wrong. Pure; nothing is changed in place.
import { isAsked } from './asked';
import type { Extension, Form, Question, ResponseItem, Value } from './types';

// The lists that something stands in, from the outside in.
export type Levels = readonly (readonly Entry[])[];

// One occurrence of a question or of a group.
export interface Entry {
  key: string; // among all of a form
  question: Question;
  values: readonly Value[];
  below: readonly Entry[]; // of a group, or of a question that is answered
}

const ROUNDS_MAX = 20; // of conditions that hang on one another
const CORE = 'http://hl7.org/fhir/StructureDefinition/';

export function extensionOf(of: { extension?: Extension[] }, name: string): Extension | undefined {
  return of.extension?.find(({ url }) => url === CORE + name);
}

export function isHidden(question: Question): boolean {
  return extensionOf(question, 'questionnaire-hidden')?.valueBoolean === true;
}

let made = 0;

function newKey(): string {
  made += 1;
  return `q${made}`;
}

function enter(question: Question, given: ResponseItem | undefined): Entry {
  const answers = given?.answer ?? [];
  const items = question.type === 'group' ? given?.item : answers[0]?.item;
  return {
    key: newKey(),
    question,
    values: answers.map(({ item: _, ...value }) => value),
    below: begin(question.item ?? [], items ?? []),
  };
}

// The questions with what a response has already; each group at least once.
export function begin(questions: readonly Question[], given: readonly ResponseItem[]): Entry[] {
  return questions.flatMap((question) => {
    const found = given.filter(({ linkId }) => linkId === question.linkId);
    return found.length ? found.map((item) => enter(question, item)) : [enter(question, undefined)];
  });
}

function mapEntries(list: readonly Entry[], key: string, change: (e: Entry) => Entry[]): Entry[] {
  return list.flatMap((entry) =>
    entry.key === key ? change(entry) : [{ ...entry, below: mapEntries(entry.below, key, change) }],
  );
}

export function answer(list: readonly Entry[], key: string, values: readonly Value[]): Entry[] {
  return mapEntries(list, key, (entry) => [{ ...entry, values }]);
}

// One more of a group that repeats, behind this one.
export function repeat(list: readonly Entry[], key: string): Entry[] {
  return mapEntries(list, key, (entry) => [entry, enter(entry.question, undefined)]);
}

export function remove(list: readonly Entry[], key: string): Entry[] {
  return mapEntries(list, key, () => []);
}

export function isAnswered(entry: Entry): boolean {
  return entry.values.length > 0 || entry.below.some(isAnswered);
}

// The same without what stands in questions that are not asked (any more): what a condition looks
// at is what will be said.
export function settle(list: readonly Entry[]): readonly Entry[] {
  let changed = false;
  const look = (entries: readonly Entry[], around: Levels): Entry[] => {
    const levels = [...around, entries];
    return entries.map((entry) => {
      if (isAnswered(entry) && !isAsked(entry, levels)) {
        changed = true;
        return emptied(entry);
      }
      return entry.below.length ? { ...entry, below: look(entry.below, levels) } : entry;
    });
  };
  let settled: readonly Entry[] = list;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    changed = false;
    const next = look(settled, []);
    if (!changed) break;
    settled = next;
  }
  return settled;
}

function emptied(entry: Entry): Entry {
  return { ...entry, values: [], below: entry.below.map(emptied) };
}

// ---- what is wrong ----

export type Fault = 'required' | 'least' | 'most' | 'long' | 'number';

export interface FaultAt {
  key: string;
  fault: Fault;
  bound?: number | string;
}

function numberOf(value: Value): number | undefined {
  return value.valueDecimal ?? value.valueInteger ?? value.valueQuantity?.value;
}

function bound(question: Question, name: string): number | string | undefined {
  const found = extensionOf(question, name);
  return found?.valueDecimal ?? found?.valueInteger ?? found?.valueDate;
}

function faultOfValue(question: Question, value: Value): Omit<FaultAt, 'key'> | undefined {
  const number = numberOf(value);
  const least = bound(question, 'minValue');
  const most = bound(question, 'maxValue');
  const at = number ?? value.valueDate;
  if (number !== undefined && Number.isNaN(number)) return { fault: 'number' };
  if (at !== undefined && least !== undefined && at < least)
    return { fault: 'least', bound: least };
  if (at !== undefined && most !== undefined && at > most) return { fault: 'most', bound: most };
  if (question.maxLength && (value.valueString?.length ?? 0) > question.maxLength)
    return { fault: 'long', bound: question.maxLength };
  return undefined;
}

// In the order of the page. What is not asked is not wrong; nor is what is left out of a group that
// is left out whole.
export function faults(list: readonly Entry[]): FaultAt[] {
  const found: FaultAt[] = [];
  const look = (entries: readonly Entry[], around: Levels, isWanted: boolean) => {
    const levels = [...around, entries];
    for (const entry of entries) {
      const { question, key } = entry;
      if (!isAsked(entry, levels) || isHidden(question)) continue;
      if (question.required && isWanted && !isAnswered(entry) && question.type !== 'group')
        found.push({ key, fault: 'required' });
      for (const value of entry.values) {
        const fault = faultOfValue(question, value);
        if (fault) found.push({ key, ...fault });
      }
      const goesOn = question.type === 'group' || entry.values.length > 0;
      if (goesOn)
        look(entry.below, levels, (isWanted && question.required === true) || isAnswered(entry));
    }
  };
  look(settle(list), [], true);
  return found;
}

// ---- what is said ----

function toItems(list: readonly Entry[], around: Levels): ResponseItem[] {
  const levels = [...around, list];
  return list.flatMap((entry): ResponseItem[] => {
    const { question } = entry;
    if (!isAnswered(entry) || !isAsked(entry, levels)) return [];
    const item: ResponseItem = {
      linkId: question.linkId,
      ...(question.text ? { text: question.text } : {}),
    };
    const below = toItems(entry.below, levels);
    if (question.type === 'group') return below.length ? [{ ...item, item: below }] : [];
    const values = entry.values.filter((value) => !Number.isNaN(numberOf(value)));
    if (values.length === 0) return [];
    const answers = values.map((value, i) =>
      i === 0 && below.length ? { ...value, item: below } : value,
    );
    return [{ ...item, answer: answers }];
  });
}

// The answers as a response has them: those that are asked for, and nothing empty.
export function responseItems(list: readonly Entry[]): ResponseItem[] {
  return toItems(settle(list), []);
}

export function canonicalOf(form: Form): string {
  if (!form.url) return `Questionnaire/${form.id}`;
  return form.version ? `${form.url}|${form.version}` : form.url;
}
