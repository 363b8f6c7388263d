// What Country calls things, in the person's language where it has a word.
import type { I18n } from '../i18n';
import type { Part, Share } from './answers';

const PATH = '#/country';

export const glancePath = (place?: string) => (place ? `${PATH}/at/${place}` : PATH);
export const usePath = (place?: string) => (place ? `${PATH}/use/${place}` : `${PATH}/use`);
export const reachPath = (indicator: string, place?: string) =>
  `${PATH}/reach/${encodeURIComponent(indicator)}${place ? `/${place}` : ''}`;

export function indicatorName(i18n: I18n, { id, title }: { id: string; title: string }): string {
  return i18n.find(`indicator.${id}`) ?? title;
}

export function programmeName(i18n: I18n, programme: string): string {
  return i18n.find(`programme.${programme}`) ?? programme;
}

export function partName({ t }: I18n, { id, name }: Part): string {
  return id === null ? t('country.elsewhere') : (name ?? id);
}

export function placeOf(i18n: I18n, path: readonly Part[]): string {
  const last = path.at(-1);
  return last ? partName(i18n, last) : i18n.t('country.whole');
}

// "0", "1-4", "50+"
export function ageName({ t, number }: I18n, age: string): string {
  const [from = 0, to] = age.split('-').map((text) => Number.parseInt(text, 10));
  if (age.endsWith('+')) return t('age.from', { from: number(from) });
  return to === undefined
    ? t('age.below', { below: number(from + 1) })
    : t('age.range', { from: number(from), to: number(to) });
}

export function countText({ t, number }: I18n, n: number | null): string {
  return n === null ? t('country.few') : number(n);
}

export function shareText({ t, percent }: I18n, share: Share): string {
  return share.percent === null ? t('country.unsaid') : percent(share.percent / 100);
}
