// Counts and what is to be expected of them: /carnet/$series and /carnet/$detect.
import type { Client } from '../fhir/client';
import { Problem } from '../fhir/client';
import { ask } from '../fhir/own';

const WEEK_DAYS = 7;
const DAY_MS = 86_400_000;

// The node's own first; the second learns in a few weeks what the first needs years for.
export const METHODS = ['ensemble', 'ears-c2', 'rki2', 'farrington-flexible'] as const;
export type Method = (typeof METHODS)[number];

export interface Series {
  disease: string;
  place?: string;
  placeName?: string;
  counts: number[];
}

export interface Counts {
  until: string; // the newest day that records tell of
  periods: string[];
  series: Series[];
}

export interface Point {
  period: string;
  count: number;
  threshold: number | null;
  expected: number | null;
  alarm: boolean | null; // null: could not be judged, `note` says why
  open: boolean;
  note: string;
}

interface Judged {
  series: { disease: string; points: Point[] }[];
}

export function weeksAgo(weeks: number, now = Date.now()): string {
  return new Date(now - weeks * WEEK_DAYS * DAY_MS).toISOString().slice(0, 10);
}

export async function judge(
  client: Client,
  disease: string,
  location: string | undefined,
  method: Method,
  last: number,
): Promise<Point[]> {
  const judged = await ask<Judged>(client, '$detect', { disease, location, method, last });
  const points = judged.series[0]?.points;
  if (!points) throw new Problem('missing', 'there is no such series');
  return points;
}

export function canJudge(points: readonly Point[]): boolean {
  return points.some(({ alarm }) => alarm !== null);
}

// "2026-W07": the Monday of that ISO week, in milliseconds; 4 January is in the first.
export function mondayOf(week: string): number {
  const [year = 0, number = 1] = week.split('-W').map(Number);
  const fourth = Date.UTC(year, 0, 4);
  const first = fourth - ((new Date(fourth).getUTCDay() + 6) % 7) * DAY_MS;
  return first + (number - 1) * WEEK_DAYS * DAY_MS;
}
