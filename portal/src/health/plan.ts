import schedule from '../data/schedule.json';
import { useHealth } from './context';
import { type Dose, plan, type Schedule } from './schedule';

// This day where the person is.
export function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

export function usePlan(): Dose[] {
  const { record } = useHealth();
  return plan(schedule as Schedule, record.patient, record.immunizations, today());
}
