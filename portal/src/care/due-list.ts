// Who of one's own patients waits for a vaccination. Pure.
import type { Immunization, Patient } from '../fhir/types';
import { addDays, type Dose, plan, type Schedule } from '../health/schedule';

export interface Waiting {
  person: Patient;
  doses: readonly Dose[]; // due or late, the earliest first; of each vaccine the next one alone
  isLate: boolean;
}

// Nobody born before this day can still get a dose of the schedule.
export function bornSince(schedule: Schedule, today: string): string {
  return addDays(today, -Math.max(...schedule.vaccines.map(({ untilDays }) => untilDays)));
}

export function waiting(
  schedule: Schedule,
  people: readonly Patient[],
  given: readonly Immunization[],
  today: string,
): Waiting[] {
  const byPatient = new Map<string, Immunization[]>();
  for (const one of given) {
    const id = one.patient?.reference?.split('/').at(-1) ?? '';
    byPatient.set(id, [...(byPatient.get(id) ?? []), one]);
  }
  return people
    .filter((person) => !person.deceasedDateTime && !person.deceasedBoolean)
    .map((person) => {
      const doses = plan(schedule, person, byPatient.get(person.id ?? '') ?? [], today)
        .filter(({ state }) => state === 'due' || state === 'late')
        .filter((dose, i, open) => open.findIndex(({ cvx }) => cvx === dose.cvx) === i);
      return { person, doses, isLate: doses.some(({ state }) => state === 'late') };
    })
    .filter(({ doses }) => doses.length > 0)
    .sort((a, b) => (a.doses[0]?.day ?? '').localeCompare(b.doses[0]?.day ?? ''));
}
