// Texts, dates and numbers in the person's language. One file a language; a new one is one more
// file and a line in `languages`. Of each text its file says whether somebody reviewed it (see
// tools/check_languages.py); one that nobody did is drafted.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type english from './en.json';

export type Key = keyof typeof english.texts;
export type Params = Readonly<Record<string, string | number>>;

interface LanguageFile {
  texts: Record<string, string>;
}

export interface Language {
  tag: string;
  name: string; // in itself
  rtl: boolean;
  load: () => Promise<LanguageFile>;
}

export const languages: readonly Language[] = [
  { tag: 'ar', name: 'العربية', rtl: true, load: () => import('./ar.json') },
  { tag: 'en', name: 'English', rtl: false, load: () => import('./en.json') },
  { tag: 'es', name: 'Español', rtl: false, load: () => import('./es.json') },
  { tag: 'fr', name: 'Français', rtl: false, load: () => import('./fr.json') },
  { tag: 'ru', name: 'Русский', rtl: false, load: () => import('./ru.json') },
  { tag: 'zh', name: '中文', rtl: false, load: () => import('./zh.json') },
];

const CHOSEN = 'carnet.language';

// What the person chose here before, or the first of the browser's languages that there is.
export function preferredLanguage(): Language {
  const wanted = [localStorage.getItem(CHOSEN) ?? '', ...navigator.languages];
  for (const tag of wanted) {
    const found = languages.find((language) => language.tag === tag.slice(0, 2).toLowerCase());
    if (found) return found;
  }
  return languages[1] as Language;
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(CHOSEN, language.tag);
}

export interface I18n {
  language: Language;
  t: (key: Key, params?: Params) => string;
  // For keys that are made of data ("vaccine.19"); undefined where there is no such text.
  find: (key: string) => string | undefined;
  date: (day: string | undefined) => string;
  dateTime: (instant: string | undefined) => string;
  month: (day: string | undefined) => string; // and its year
  number: (value: number) => string;
  percent: (share: number) => string; // of 1
  ago: (instant: string) => string; // "3 days ago"
}

const MINUTE_MS = 60_000;
const AGO = [
  ['day', 1440],
  ['hour', 60],
] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

function fill(text: string, params: Params | undefined): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(params?.[name] ?? whole));
}

export async function loadI18n(language: Language): Promise<I18n> {
  const { texts } = await language.load();
  const days = new Intl.DateTimeFormat(language.tag, { dateStyle: 'medium' });
  // A day without a time is that day everywhere.
  const plainDays = new Intl.DateTimeFormat(language.tag, { dateStyle: 'medium', timeZone: 'UTC' });
  const times = new Intl.DateTimeFormat(language.tag, { dateStyle: 'medium', timeStyle: 'short' });
  const months = new Intl.DateTimeFormat(language.tag, { month: 'short', year: 'numeric' });
  const since = new Intl.RelativeTimeFormat(language.tag, { numeric: 'auto' });
  const numbers = new Intl.NumberFormat(language.tag, { maximumFractionDigits: 2 });
  const percents = new Intl.NumberFormat(language.tag, { style: 'percent' });
  const format = (text: string | undefined, how: Intl.DateTimeFormat) => {
    const when = new Date(text ?? '');
    return Number.isNaN(when.getTime()) ? (text ?? '') : how.format(when);
  };
  return {
    language,
    t: (key, params) => fill(texts[key] ?? key, params),
    find: (key) => texts[key],
    date: (day) => format(day, DAY.test(day ?? '') ? plainDays : days),
    dateTime: (instant) => format(instant, times),
    month: (day) => format(day, months),
    number: (value) => numbers.format(value),
    percent: (share) => percents.format(share),
    ago: (instant) => {
      const minutes = (Date.parse(instant) - Date.now()) / MINUTE_MS;
      for (const [unit, size] of AGO)
        if (Math.abs(minutes) >= size) return since.format(Math.round(minutes / size), unit);
      return since.format(Math.round(minutes), 'minute');
    },
  };
}

export const I18nContext = createContext<I18n | undefined>(undefined);

export function useI18n(): I18n {
  const i18n = useContext(I18nContext);
  if (!i18n) throw new Error('no language is loaded');
  return i18n;
}
