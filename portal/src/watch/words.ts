// What Watch calls things: diseases by the person's language where it has a word, weeks, places.
import type { I18n } from '../i18n';
import type { Places } from './places';

export function diseaseName(i18n: I18n, code: string, title = code): string {
  return i18n.find(`disease.${code}`) ?? title;
}

export function placeName(i18n: I18n, places: Places | undefined, id: string | undefined): string {
  if (!id) return i18n.t('place.whole');
  return places?.byId.get(id)?.name ?? i18n.t('place.unknown');
}

// "2026-W07" as people write it.
export function weekName(i18n: I18n, week: string): string {
  const [year = '', number = ''] = week.split('-W');
  return i18n.t('week.of', { week: Number(number), year });
}

// The same in a column of weeks: "7/2026".
export function weekShort(week: string): string {
  const [year = '', number = ''] = week.split('-W');
  return `${Number(number)}/${year}`;
}

export function curvePath(disease: string, place?: string): string {
  return `#/watch/curve/${encodeURIComponent(disease)}${place ? `/${place}` : ''}`;
}

export function casesPath(disease: string, place?: string): string {
  return `#/watch/cases/${encodeURIComponent(disease)}${place ? `/${place}` : ''}`;
}
