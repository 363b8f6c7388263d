// A form's own words in the person's language, where the form has them. Pure.
import type { Worded } from './types';

const TRANSLATION = 'http://hl7.org/fhir/StructureDefinition/translation';

export function wordsOf(text: string | undefined, more: Worded | undefined, tag: string): string {
  for (const one of more?.extension ?? []) {
    if (one.url !== TRANSLATION) continue;
    const lang = one.extension?.find(({ url }) => url === 'lang')?.valueCode;
    if (lang?.slice(0, 2) !== tag) continue;
    return one.extension?.find(({ url }) => url === 'content')?.valueString ?? text ?? '';
  }
  return text ?? '';
}
