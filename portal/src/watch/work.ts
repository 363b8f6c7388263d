// Where a signal stands and the steps that can be taken: /carnet/$signal and /carnet/$signal-step
// (docs/formats/signals.md). What each step asks, as data.
import type { Client } from '../fhir/client';
import type { Parameter } from '../fhir/types';
import { root } from '../node';

export interface Clock {
  clock: string;
  due: string | null; // null: it does not run yet
  done: string | null;
  late: boolean;
}

export interface Standing {
  state: string;
  withdrawn: boolean;
  owner?: string;
  steps: string[];
  likelihood: string | null;
  impact: string | null;
  risk: string | null;
  notifiable: boolean | null;
  actions: { action: string; applies: boolean; done: string | null }[];
  clocks: Clock[];
}

export type Field =
  | { name: string; kind: 'choice'; of: readonly string[] }
  | { name: string; kind: 'yes' | 'day' | 'note'; isNeeded?: boolean };

const LIKELIHOOD = ['very-unlikely', 'unlikely', 'likely', 'highly-likely', 'almost-certain'];
const IMPACT = ['minimal', 'minor', 'moderate', 'major', 'severe'];
const CONFIDENCE = ['low', 'medium', 'high'];
const RISK = ['low', 'moderate', 'high', 'very-high'];
const ACTIONS = [
  'investigation',
  'analysis',
  'laboratory',
  'case-management',
  'countermeasures',
  'communication',
  'coordination',
];
const note: Field = { name: 'note', kind: 'note' };
const reason: Field = { name: 'note', kind: 'note', isNeeded: true };
const yes = (name: string): Field => ({ name, kind: 'yes' });

// `assign` needs somebody else's resource, and is for programs.
export const STEPS: Readonly<Record<string, readonly Field[]>> = {
  take: [note],
  verify: [{ name: 'emergence', kind: 'day' }, note],
  assess: [
    { name: 'likelihood', kind: 'choice', of: LIKELIHOOD },
    { name: 'impact', kind: 'choice', of: IMPACT },
    { name: 'confidence', kind: 'choice', of: CONFIDENCE },
    { name: 'risk', kind: 'choice', of: RISK },
    note,
  ],
  annex2: [yes('serious'), yes('unusual'), yes('spread'), yes('restrictions'), yes('listed'), note],
  'notify-who': [note],
  action: [{ name: 'action', kind: 'choice', of: ACTIONS }, { name: 'applies', kind: 'yes' }, note],
  note: [reason],
  close: [reason],
  discard: [reason],
};

export interface Seen {
  standing: Standing;
  tag: string; // of the version that was seen
}

export async function loadStanding(client: Client, signal: string): Promise<Seen> {
  const url = new URL('carnet/$signal', root);
  url.searchParams.set('signal', signal);
  const { value, tag } = await client.tagged<Standing>(url.href);
  return { standing: value, tag };
}

// What a form says, as parameters: what was left empty is not said, a box that is not ticked is no.
export function answersOf(step: string, form: FormData): Parameter[] {
  const parameters: Parameter[] = [];
  for (const field of STEPS[step] ?? []) {
    const text = String(form.get(field.name) ?? '').trim();
    if (field.kind === 'yes')
      parameters.push({ name: field.name, valueBoolean: form.has(field.name) });
    else if (text !== '') parameters.push({ name: field.name, valueString: text });
  }
  return parameters;
}

// Only while nobody took another step since it was seen.
export async function takeStep(
  client: Client,
  signal: string,
  step: string,
  answers: readonly Parameter[],
  tag: string,
): Promise<void> {
  await client.operation(
    new URL('carnet/$signal-step', root).href,
    [{ name: 'signal', valueString: signal }, { name: 'step', valueString: step }, ...answers],
    { 'If-Match': tag },
  );
}
