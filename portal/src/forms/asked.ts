// Whether a question is asked, after what else was answered (Questionnaire.item.enableWhen). Pure.
import type { Coding } from '../fhir/types';
import type { Entry, Levels } from './model';
import type { Condition, Value } from './types';

function within(entry: Entry, linkId: string): Entry | undefined {
  if (entry.question.linkId === linkId) return entry;
  for (const below of entry.below) {
    const found = within(below, linkId);
    if (found) return found;
  }
  return undefined;
}

function has(entry: Entry, of: Entry): boolean {
  return entry === of || entry.below.some((below) => has(below, of));
}

// The nearest occurrence: around, then before, then behind, from the inside out.
function nearest(entry: Entry, levels: Levels, linkId: string) {
  const out = [...levels].reverse();
  const around = out.map((level) => ({ level, at: level.findIndex((one) => has(one, entry)) }));
  for (const { level, at } of around.slice(1))
    if (level[at]?.question.linkId === linkId) return level[at];
  for (const { level, at } of around)
    for (let i = at - 1; i >= 0; i--) {
      const found = within(level[i] as Entry, linkId);
      if (found) return found;
    }
  for (const { level, at } of around)
    for (const one of level.slice(at + 1)) {
      const found = within(one, linkId);
      if (found) return found;
    }
  return undefined;
}

type Plain = number | string | boolean;

function plainOf(value: Record<string, unknown>, stem: 'value' | 'answer'): Plain | Coding {
  const [, found] =
    Object.entries(value).find(([name]) => name.startsWith(stem) && name !== 'answerValueSet') ??
    [];
  const quantity = found as { value?: number } | undefined;
  if (typeof found === 'object' && typeof quantity?.value === 'number') return quantity.value;
  return found as Plain | Coding;
}

function isSame(a: Plain | Coding, b: Plain | Coding): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  return a.code === b.code && (a.system ?? '') === (b.system ?? '');
}

function holds(condition: Condition, values: readonly Value[]): boolean {
  const wanted = plainOf({ ...condition }, 'answer');
  const { operator } = condition;
  if (operator === 'exists') return values.length > 0 === wanted;
  const given = values.map((value) => plainOf({ ...value }, 'value'));
  if (operator === '=') return given.some((one) => isSame(one, wanted));
  if (operator === '!=') return given.length > 0 && !given.some((one) => isSame(one, wanted));
  return given.some((one) => {
    if (typeof one === 'object' || typeof wanted === 'object') return false;
    if (operator === '>') return one > wanted;
    if (operator === '<') return one < wanted;
    return operator === '>=' ? one >= wanted : one <= wanted;
  });
}

export function isAsked(entry: Entry, levels: Levels): boolean {
  const { enableWhen, enableBehavior } = entry.question;
  if (!enableWhen?.length) return true;
  const met = (condition: Condition) =>
    holds(condition, nearest(entry, levels, condition.question)?.values ?? []);
  return enableBehavior === 'all' ? enableWhen.every(met) : enableWhen.some(met);
}
