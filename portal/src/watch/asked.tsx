// What all pages of Watch ask by: a disease, and a place.
import { useState } from 'preact/hooks';
import { useI18n } from '../i18n';
import type { Place, Places } from './places';
import { diseaseName } from './words';

const OFFERED = 12; // places at a time, of those whose name fits

interface DiseaseChoiceProps {
  diseases: readonly string[];
  value: string;
  choose: (disease: string) => void;
}

export function DiseaseChoice({ diseases, value, choose }: DiseaseChoiceProps) {
  const i18n = useI18n();
  const list = [...diseases].sort((a, b) =>
    diseaseName(i18n, a).localeCompare(diseaseName(i18n, b), i18n.language.tag),
  );
  return (
    <div>
      <label for="watch-disease">{i18n.t('curve.disease')}</label>
      <select id="watch-disease" value={value} onChange={(e) => choose(e.currentTarget.value)}>
        {list.map((disease) => (
          <option key={disease} value={disease}>
            {diseaseName(i18n, disease)}
          </option>
        ))}
      </select>
    </div>
  );
}

interface WeeksChoiceProps {
  id: string;
  among: readonly number[];
  value: number;
  choose: (weeks: number) => void;
}

export function WeeksChoice({ id, among, value, choose }: WeeksChoiceProps) {
  const { t, number } = useI18n();
  return (
    <div>
      <label for={id}>{t('curve.weeks')}</label>
      <select id={id} value={value} onChange={(e) => choose(Number(e.currentTarget.value))}>
        {among.map((n) => (
          <option key={n} value={n}>
            {number(n)}
          </option>
        ))}
      </select>
    </div>
  );
}

interface PlaceChoiceProps {
  places: Places;
  value: string | undefined; // id
  choose: (id: string | undefined) => void;
}

const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLocaleLowerCase();

function fitting(places: Places, typed: string): Place[] {
  const words = fold(typed);
  const found: Place[] = [];
  for (const place of places.list) {
    if (fold(place.name).includes(words)) found.push(place);
    if (found.length === OFFERED) break;
  }
  return found;
}

// A name that is typed, with what fits offered: a list of all would be a thousand long.
export function PlaceChoice({ places, value, choose }: PlaceChoiceProps) {
  const { t } = useI18n();
  const chosen = value ? (places.byId.get(value)?.name ?? '') : '';
  const [typed, setTyped] = useState(chosen);
  const take = (text: string) => {
    setTyped(text);
    const exact = places.list.find(({ name }) => fold(name) === fold(text.trim()));
    if (exact && exact.id !== value) choose(exact.id);
    if (text.trim() === '' && value) choose(undefined);
  };
  return (
    <div>
      <label for="watch-place">{t('curve.place')}</label>
      <input
        id="watch-place"
        list="watch-places"
        autocomplete="off"
        placeholder={t('place.whole')}
        value={typed}
        onInput={(e) => take(e.currentTarget.value)}
      />
      <datalist id="watch-places">
        {fitting(places, typed).map(({ id, name, level }) => (
          <option key={id} value={name}>
            {level}
          </option>
        ))}
      </datalist>
    </div>
  );
}
