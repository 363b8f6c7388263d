// What may be answered to a choice: the form's own options, or the codes of a value set.
import type { Client } from '../fhir/client';
import type { Coding, Resource } from '../fhir/types';
import type { Form, Question, Value } from './types';

const CODES_MAX = 500; // of a value set that is offered as a list

interface Contained {
  code?: string;
  system?: string;
  display?: string;
  abstract?: boolean;
  contains?: Contained[];
}

interface ValueSet extends Resource {
  expansion?: { contains?: Contained[] };
  compose?: { include?: { system?: string; concept?: Coding[] }[] };
}

function flat(list: readonly Contained[]): Value[] {
  return list.flatMap(({ contains, abstract: isAbstract, code, system, display }) => [
    ...(isAbstract || !code
      ? []
      : [
          { valueCoding: { code, ...(system ? { system } : {}), ...(display ? { display } : {}) } },
        ]),
    ...flat(contains ?? []),
  ]);
}

function ownOptions(set: ValueSet | undefined): Value[] {
  if (set?.expansion?.contains) return flat(set.expansion.contains);
  return (set?.compose?.include ?? []).flatMap(({ system, concept }) =>
    flat((concept ?? []).map((one) => ({ ...one, ...(system ? { system } : {}) }))),
  );
}

function allQuestions(questions: readonly Question[]): Question[] {
  return questions.flatMap((one) => [one, ...allQuestions(one.item ?? [])]);
}

export type Options = ReadonlyMap<string, readonly Value[]>; // by value set

// The codes of all value sets that a form names, each asked for once. A set that cannot be had
// leaves its questions without anything to choose, which they say.
export async function loadOptions(client: Client, form: Form): Promise<Options> {
  const names = new Set(allQuestions(form.item ?? []).map((one) => one.answerValueSet ?? ''));
  names.delete('');
  const load = async (name: string): Promise<[string, Value[]]> => {
    if (name.startsWith('#'))
      return [name, ownOptions(form.contained?.find(({ id }) => id === name.slice(1)) as ValueSet)];
    const query = `url=${encodeURIComponent(name)}&count=${CODES_MAX}`;
    return [name, ownOptions(await client.get<ValueSet>(`ValueSet/$expand?${query}`))];
  };
  return new Map(await Promise.all([...names].map(load)));
}

export function optionsOf(question: Question, options: Options): readonly Value[] {
  return question.answerOption ?? options.get(question.answerValueSet ?? '') ?? [];
}
