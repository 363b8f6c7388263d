// Which places have how many cases of a disease.
import { useState } from 'preact/hooks';
import type { Client } from '../fhir/client';
import { ask } from '../fhir/own';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Behind } from '../parts/behind';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import { go, type Route } from '../route';
import { DiseaseChoice, WeeksChoice } from './asked';
import { type Drawing, drawPlaces, MapDrawing } from './map-drawing';
import { loadPlaces, type Place, type Places } from './places';
import { type Counts, weeksAgo } from './series';
import { curvePath, diseaseName } from './words';

const WEEKS = [1, 4, 12, 52] as const;

interface ShownProps {
  client: Client;
  disease: string;
  places: Places;
}

interface Counted {
  drawing: Drawing;
  at: readonly Place[];
  counts: Map<string, number>;
  elsewhere: number; // whose place is not known
}

function useCounts({ client, disease, places }: ShownProps, level: string, weeks: number) {
  return useLoad(async (): Promise<Counted> => {
    const found = await ask<Counts>(client, '$series', {
      disease,
      place: level,
      from: weeksAgo(weeks),
    });
    const counts = new Map<string, number>();
    let elsewhere = 0;
    for (const { place, counts: list } of found.series) {
      const sum = list.reduce((all, n) => all + n, 0);
      if (place) counts.set(place, sum);
      else elsewhere += sum;
    }
    const at = places.list.filter((place) => place.level === level);
    return { drawing: await drawPlaces(at), at, counts, elsewhere };
  }, `${disease} ${level} ${weeks}`);
}

function Chosen({ place, count, disease }: { place: Place; count: number; disease: string }) {
  const { t, number } = useI18n();
  return (
    <p class="notice" role="status">
      <strong>
        <bdi>{place.name}</bdi>
      </strong>
      {' · '}
      {t('map.count', { n: number(count) })}
      {' · '}
      <a href={curvePath(disease, place.id)}>{t('curve.title')}</a>
    </p>
  );
}

function Shown(props: ShownProps) {
  const { places, disease } = props;
  const i18n = useI18n();
  const { t, number } = i18n;
  const [level, setLevel] = useState(places.levels.at(-1) ?? '');
  const [weeks, setWeeks] = useState<number>(WEEKS[2]);
  const [chosen, setChosen] = useState<string | undefined>();
  const counted = useCounts(props, level, weeks);
  const label = t('map.of', { disease: diseaseName(i18n, disease), n: number(weeks) });
  return (
    <section class="card">
      <h2>{label}</h2>
      <div class="fields">
        <WeeksChoice id="map-weeks" among={WEEKS} value={weeks} choose={setWeeks} />
        <div>
          <label for="map-level">{t('map.level')}</label>
          <select
            id="map-level"
            value={level}
            onChange={(e) => {
              setChosen(undefined);
              setLevel(e.currentTarget.value);
            }}
          >
            {places.levels.map((one) => (
              <option key={one} value={one}>
                {i18n.find(`level.${one}`) ?? one}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Loaded of={counted}>
        {({ drawing, at, counts, elsewhere }) => {
          const place = at.find(({ id }) => id === chosen);
          const sorted = [...at].sort((a, b) => (counts.get(b.id) ?? 0) - (counts.get(a.id) ?? 0));
          return (
            <>
              {place ? (
                <Chosen place={place} count={counts.get(place.id) ?? 0} disease={disease} />
              ) : (
                <p class="muted">{t('map.choose')}</p>
              )}
              <MapDrawing
                label={label}
                drawing={drawing}
                places={at}
                counts={counts}
                chosen={chosen}
                choose={setChosen}
              />
              {elsewhere > 0 && <p class="muted">{t('map.elsewhere', { n: number(elsewhere) })}</p>}
              <Behind
                caption={label}
                columns={[t('curve.place'), t('curve.cases')]}
                length={sorted.length}
                row={(i) => {
                  const one = sorted[i] as Place;
                  return {
                    key: one.id,
                    cells: [
                      <a key="a" href={curvePath(disease, one.id)}>
                        <bdi>{one.name}</bdi>
                      </a>,
                      number(counts.get(one.id) ?? 0),
                    ],
                  };
                }}
              />
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

export function MapPage({ client, rest }: { client: Client; rest: Route }) {
  const { t } = useI18n();
  const known = useLoad(
    () => Promise.all([loadPlaces(client), ask<Counts>(client, '$series', {})]),
    '',
  );
  return (
    <Page title={t('map.title')} lead={t('map.lead')}>
      <Loaded of={known}>
        {([places, counts]) => {
          const total = (list: readonly number[]) => list.reduce((sum, n) => sum + n, 0);
          const busiest = [...counts.series].sort((a, b) => total(b.counts) - total(a.counts))[0];
          const disease = rest[0] ?? busiest?.disease ?? '';
          if (!places.list.length) return <Empty>{t('map.none')}</Empty>;
          return (
            <>
              {places.isCut && <p class="notice">{t('map.cut')}</p>}
              <form class="card fields" onSubmit={(e) => e.preventDefault()}>
                <DiseaseChoice
                  diseases={counts.series.map((one) => one.disease)}
                  value={disease}
                  choose={(one) => go(`#/watch/map/${encodeURIComponent(one)}`)}
                />
              </form>
              <Shown client={client} disease={disease} places={places} />
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
