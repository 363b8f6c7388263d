// How many cases of a disease there are each week, at a place or in the whole country, and from how
// many on a method would sound the alarm.
import { useState } from 'preact/hooks';
import type { Client } from '../fhir/client';
import { ask } from '../fhir/own';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Page } from '../parts/page';
import { Loaded } from '../parts/states';
import { go, type Route } from '../route';
import { DiseaseChoice, PlaceChoice, WeeksChoice } from './asked';
import { CurveChart } from './curve-chart';
import { loadPlaces } from './places';
import { type Counts, canJudge, judge, METHODS, type Method, type Point } from './series';
import { casesPath, curvePath, diseaseName, placeName } from './words';

const WEEKS = [26, 52, 104] as const;

export interface Judgement {
  points: Point[];
  method: Method;
  isOther: boolean; // the node's own method could judge nothing
}

// By the method that was chosen; by the node's own where none was, and where that has too little
// past to judge by, the one that needs least of it.
export async function judged(
  client: Client,
  disease: string,
  place: string | undefined,
  weeks: number,
  chosen?: Method,
): Promise<Judgement> {
  const [own, other] = METHODS;
  const points = await judge(client, disease, place, chosen ?? own, weeks);
  if (chosen || canJudge(points)) return { points, method: chosen ?? own, isOther: false };
  return {
    points: await judge(client, disease, place, other, weeks),
    method: other,
    isOther: true,
  };
}

export function Curve({ label, of }: { label: string; of: Judgement }) {
  const { t } = useI18n();
  const last = of.points.at(-1);
  return (
    <>
      <CurveChart label={label} points={of.points} />
      {of.isOther && <p class="muted">{t('curve.other', { method: t(`method.${of.method}`) })}</p>}
      {!canJudge(of.points) && (
        <p class="notice">
          {t('curve.unjudged')} <span lang="en">{last?.note}</span>
        </p>
      )}
    </>
  );
}

interface ShownProps {
  client: Client;
  disease: string;
  place: string | undefined;
  label: string;
}

function Shown({ client, disease, place, label }: ShownProps) {
  const { t } = useI18n();
  const [weeks, setWeeks] = useState<number>(WEEKS[1]);
  const [method, setMethod] = useState<Method | undefined>();
  const key = `${disease} ${place} ${weeks} ${method}`;
  const points = useLoad(() => judged(client, disease, place, weeks, method), key);
  const used = points.state === 'ready' ? points.value.method : (method ?? METHODS[0]);
  return (
    <section class="card">
      <h2>{label}</h2>
      <Loaded of={points}>{(value) => <Curve label={label} of={value} />}</Loaded>
      <div class="fields">
        <WeeksChoice id="curve-weeks" among={WEEKS} value={weeks} choose={setWeeks} />
        <div>
          <label for="curve-method">{t('curve.method')}</label>
          <select
            id="curve-method"
            value={used}
            onChange={(e) => setMethod(e.currentTarget.value as Method)}
          >
            {METHODS.map((one) => (
              <option key={one} value={one}>
                {t(`method.${one}`)}
              </option>
            ))}
          </select>
        </div>
      </div>
    </section>
  );
}

export function CurvePage({ client, rest }: { client: Client; rest: Route }) {
  const i18n = useI18n();
  const { t } = i18n;
  const known = useLoad(
    () => Promise.all([loadPlaces(client), ask<Counts>(client, '$series', {})]),
    '',
  );
  return (
    <Page title={t('curve.title')} lead={t('curve.lead')}>
      <Loaded of={known}>
        {([places, counts]) => {
          const total = (list: readonly number[]) => list.reduce((sum, n) => sum + n, 0);
          const busiest = [...counts.series].sort((a, b) => total(b.counts) - total(a.counts))[0];
          const disease = rest[0] ?? busiest?.disease ?? '';
          const place = rest[1];
          const label = t('curve.of', {
            disease: diseaseName(i18n, disease),
            place: placeName(i18n, places, place),
          });
          return (
            <>
              <form class="card fields" onSubmit={(e) => e.preventDefault()}>
                <DiseaseChoice
                  diseases={counts.series.map((one) => one.disease)}
                  value={disease}
                  choose={(one) => go(curvePath(one, place))}
                />
                <PlaceChoice
                  key={place}
                  places={places}
                  value={place}
                  choose={(id) => go(curvePath(disease, id))}
                />
              </form>
              <Shown client={client} disease={disease} place={place} label={label} />
              <p>
                <a class="button plain" href={casesPath(disease, place)}>
                  {t('cases.title')}
                </a>
              </p>
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}
