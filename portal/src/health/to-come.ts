// What is still to come: appointments, and the doses of the schedule that are due. Pure.
import type { Appointment } from '../fhir/types';
import { addDays, type Dose } from './schedule';

export interface Reminder {
  id: string;
  day: string;
  start?: string; // an instant, of an appointment
  end?: string;
  what: string; // an appointment's own words
  doses: readonly Dose[]; // or the doses of that day
}

const OPEN = ['proposed', 'pending', 'booked', 'arrived', 'checked-in'];
const AHEAD_DAYS = 366; // a dose further off is none to be reminded of

export function remindersOf(
  appointments: readonly Appointment[],
  doses: readonly Dose[],
  today: string,
): Reminder[] {
  const list: Reminder[] = [];
  for (const one of appointments) {
    if (!one.start || one.start.slice(0, 10) < today || !OPEN.includes(one.status ?? '')) continue;
    list.push({
      id: `appointment-${one.id}`,
      day: one.start.slice(0, 10),
      start: one.start,
      ...(one.end ? { end: one.end } : {}),
      what: one.description ?? one.serviceType?.[0]?.text ?? '',
      doses: [],
    });
  }
  const last = addDays(today, AHEAD_DAYS);
  const open = doses.filter((dose) => dose.state !== 'given' && dose.day <= last);
  for (const day of new Set(open.map((dose) => dose.day)))
    list.push({
      id: `doses-${day}`,
      day,
      what: '',
      doses: open.filter((dose) => dose.day === day),
    });
  return list.sort((a, b) => a.day.localeCompare(b.day));
}

// ---- as a calendar (RFC 5545) ----

const LINE_BYTES_MAX = 75;

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replace(/\r?\n/g, '\\n');
}

// Lines of at most 75 octets, not cut within a character.
function folded(line: string): string {
  const parts: string[] = [];
  let part = '';
  let bytes = 0;
  for (const sign of line) {
    const size = new TextEncoder().encode(sign).length;
    if (bytes + size > LINE_BYTES_MAX) {
      parts.push(part);
      part = ' ';
      bytes = 1;
    }
    part += sign;
    bytes += size;
  }
  return [...parts, part].join('\r\n');
}

const plain = (instant: string) =>
  new Date(instant).toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');

// A calendar is often shared, or kept by others: `title` is all it says of what a day is for. What
// should have been done already stands on today.
export function calendarOf(
  list: readonly Reminder[],
  title: string,
  now: string,
  today: string,
): string {
  const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Carnet//portal//EN'];
  for (const one of list) {
    const day = one.day < today ? today : one.day;
    lines.push('BEGIN:VEVENT', `UID:${one.id}@carnet`, `DTSTAMP:${plain(now)}`);
    lines.push(
      one.start ? `DTSTART:${plain(one.start)}` : `DTSTART;VALUE=DATE:${day.replace(/-/g, '')}`,
    );
    if (one.end) lines.push(`DTEND:${plain(one.end)}`);
    lines.push(`SUMMARY:${escaped(title)}`, 'END:VEVENT');
  }
  return [...lines, 'END:VCALENDAR', ''].map(folded).join('\r\n');
}
