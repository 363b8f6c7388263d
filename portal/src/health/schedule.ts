// Which dose was given, which is due, which comes: a schedule held against what a person got. Pure.
import { codeIn, dayOf, systems } from '../fhir/read';
import type { Immunization } from '../fhir/types';

export interface Schedule {
  vaccines: readonly {
    cvx: string;
    doses: readonly { number: number; days: number; untilDays?: number }[];
    untilDays: number; // past this age it is given no more
    gender?: string;
  }[];
}

export type DoseState = 'given' | 'late' | 'due' | 'coming';

export interface Dose {
  cvx: string;
  number: number; // 0: at birth
  state: DoseState;
  day: string; // when it was given, or is due
}

const DAY_MS = 86_400_000;
const GRACE_DAYS = 28; // a dose that waits longer is late
const SOON_DAYS = 7; // a dose this near may be given now
const APART_DAYS = 28; // between two doses of one vaccine

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS);
}

function givenOf(cvx: string, given: readonly Immunization[]): Map<number, string> {
  const doses = new Map<number, string>();
  const own = given
    .filter((one) => one.status === 'completed' && codeIn(one.vaccineCode, systems.cvx) === cvx)
    .sort((a, b) => dayOf(a.occurrenceDateTime).localeCompare(dayOf(b.occurrenceDateTime)));
  for (const one of own)
    doses.set(one.protocolApplied?.[0]?.doseNumberPositiveInt ?? 0, dayOf(one.occurrenceDateTime));
  return doses;
}

function stateOf(due: string, today: string): DoseState {
  const waits = daysBetween(due, today);
  if (waits > GRACE_DAYS) return 'late';
  return waits >= -SOON_DAYS ? 'due' : 'coming';
}

// All doses of the schedule that were given or still can be, by day.
export function plan(
  schedule: Schedule,
  person: { birthDate?: string; gender?: string },
  given: readonly Immunization[],
  today: string,
): Dose[] {
  const list: Dose[] = [];
  const birth = person.birthDate;
  if (!birth || birth.length < 10) return list;
  for (const vaccine of schedule.vaccines) {
    const has = givenOf(vaccine.cvx, given);
    let before: string | undefined;
    for (const dose of vaccine.doses) {
      const got = has.get(dose.number);
      if (got) {
        list.push({ cvx: vaccine.cvx, number: dose.number, state: 'given', day: got });
        before = got;
        continue;
      }
      if (vaccine.gender && vaccine.gender !== person.gender) continue;
      const asPlanned = addDays(birth, dose.days);
      const afterBefore = before ? addDays(before, APART_DAYS) : asPlanned;
      const day = [asPlanned, afterBefore].sort()[1] ?? asPlanned;
      const end = addDays(birth, dose.untilDays ?? vaccine.untilDays);
      if (today > end || day > end) continue;
      list.push({ cvx: vaccine.cvx, number: dose.number, state: stateOf(day, today), day });
      before = day;
    }
  }
  return list.sort((a, b) => a.day.localeCompare(b.day));
}

// What comes next: the doses of the earliest day that are not given.
export function nextDoses(doses: readonly Dose[]): Dose[] {
  const open = doses.filter((dose) => dose.state !== 'given');
  return open.filter((dose) => dose.day === open[0]?.day);
}
