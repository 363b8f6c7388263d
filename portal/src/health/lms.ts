// A child's measurements held against WHO's growth standards: how many standard deviations a value
// lies from the median of children of the same age and sex (the LMS method). Pure.
import { addDays, daysBetween } from './schedule';

export type Measured = 'weight' | 'height';
export type Sex = 'male' | 'female';
export type Row = readonly [day: number, l: number, m: number, s: number];
export type Standards = Readonly<Record<Measured, Readonly<Record<Sex, readonly Row[]>>>>;

export const LAST_DAY = 1826; // of the standards: five years
export const lines = [-3, -2, 0, 2, 3] as const;

// L, M and S of an age, between the days that are in the table.
function at(rows: readonly Row[], day: number): readonly [number, number, number] | undefined {
  const next = rows.findIndex((row) => row[0] >= day);
  const after = rows[next];
  const before = rows[next - 1] ?? after;
  if (!after || !before || day < 0) return undefined;
  const part = after[0] > before[0] ? (day - before[0]) / (after[0] - before[0]) : 0;
  const between = (i: 1 | 2 | 3) => before[i] + (after[i] - before[i]) * part;
  return [between(1), between(2), between(3)];
}

// The value that lies `z` standard deviations from the median at this age.
export function valueAt(rows: readonly Row[], day: number, z: number): number | undefined {
  const lms = at(rows, day);
  if (!lms) return undefined;
  const [l, m, s] = lms;
  return m * (1 + l * s * z) ** (1 / l);
}

export function zOf(rows: readonly Row[], day: number, value: number): number | undefined {
  const lms = at(rows, day);
  if (!lms || value <= 0) return undefined;
  const [l, m, s] = lms;
  return ((value / m) ** l - 1) / (l * s);
}

// What a value says, in words: within two standard deviations lie 95 of 100 healthy children.
export type Band = 'far-below' | 'below' | 'within' | 'above' | 'far-above';

export function bandOf(z: number): Band {
  if (z < -3) return 'far-below';
  if (z < -2) return 'below';
  if (z > 3) return 'far-above';
  return z > 2 ? 'above' : 'within';
}

export interface Curve {
  z: number;
  points: readonly (readonly [number, number])[]; // day of age, value
}

// The curves of the standards up to an age.
export function curves(rows: readonly Row[], lastDay: number): Curve[] {
  const days = [...rows.map((row) => row[0]).filter((day) => day < lastDay), lastDay];
  return lines.map((z) => ({
    z,
    points: days.map((day) => [day, valueAt(rows, day, z) ?? 0] as const),
  }));
}

export interface Measurement {
  day: number; // of age
  when: string;
  value: number;
}

// Measurements by age; those before birth or of no day are none of a child's growth.
export function byAge(
  birth: string,
  points: readonly { when: string; value: number }[],
): Measurement[] {
  return points
    .map(({ when, value }) => ({ when, value, day: daysBetween(birth, when.slice(0, 10)) }))
    .filter(({ day }) => day >= 0);
}

// Up to which age a chart goes: two years, or five.
export function chartEnd(birth: string, today: string): number {
  return today <= addDays(birth, 730) ? 730 : LAST_DAY;
}

// Whether somebody is of the age that the curves are for.
export function hasGrowth(birth: string | undefined, today: string): boolean {
  return birth?.length === 10 && today <= addDays(birth, LAST_DAY);
}
