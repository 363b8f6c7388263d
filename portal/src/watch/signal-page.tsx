// One signal: why it is one, the curve behind it, and where it stands.
import type { Client } from '../fhir/client';
import { Problem } from '../fhir/client';
import { ask } from '../fhir/own';
import type { Bundle } from '../fhir/types';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Page } from '../parts/page';
import { Loaded } from '../parts/states';
import { Clock, Urgency } from './board';
import { Curve, judged } from './curve';
import { loadPlaces, type Places } from './places';
import { readSignal, type Signal, type SignalTask } from './signal';
import { casesPath, curvePath, diseaseName, placeName, weekName } from './words';
import { Workflow } from './workflow';

const ASKED = 1000;
const WEEKS = 52;

async function load(client: Client, id: string): Promise<{ signal: Signal; places: Places }> {
  const [bundle, places] = await Promise.all([
    ask<Bundle<SignalTask>>(client, '$signals', { count: ASKED }),
    loadPlaces(client),
  ]);
  const task = bundle.entry?.find(({ resource }) => resource?.id === id)?.resource;
  if (!task) throw new Problem('missing', `there is no signal ${id}`);
  return { signal: readSignal(task), places };
}

function Evidence({ signal }: { signal: Signal }) {
  const i18n = useI18n();
  const { t, number } = i18n;
  const { rule } = signal;
  const facts: [string, string | undefined][] = [
    [t('curve.week'), weekName(i18n, signal.week)],
    [t('curve.cases'), number(signal.count)],
    [t('signal.expected'), signal.expected === undefined ? undefined : number(signal.expected)],
    [t('curve.threshold'), signal.threshold === undefined ? undefined : number(signal.threshold)],
    [t('signal.chance'), signal.chance === undefined ? undefined : String(signal.chance)],
    [t('curve.method'), signal.method && (i18n.find(`method.${signal.method}`) ?? signal.method)],
    [t('signal.since'), weekName(i18n, signal.firstWeek)],
  ];
  return (
    <section class="card">
      <h2>{t('signal.why')}</h2>
      <dl class="facts in-columns">
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {rule && (
        <p>
          {t('signal.rule', {
            cases: number(rule.cases),
            weeks: number(rule.weeks),
            n: number(rule.count),
          })}{' '}
          <span class="muted" lang="en">
            {rule.source}
          </span>
        </p>
      )}
      {signal.isWeekOpen && <p class="muted">{t('signal.open-week')}</p>}
    </section>
  );
}

function Shown({ client, signal, places }: { client: Client; signal: Signal; places: Places }) {
  const i18n = useI18n();
  const { t } = i18n;
  const label = t('curve.of', {
    disease: diseaseName(i18n, signal.disease, signal.title),
    place: placeName(i18n, places, signal.place),
  });
  const points = useLoad(() => judged(client, signal.disease, signal.place, WEEKS), signal.id);
  return (
    <>
      <p class="signal-end">
        <Urgency signal={signal} />
        <Clock signal={signal} />
      </p>
      <Workflow client={client} signal={signal.id} />
      <Evidence signal={signal} />
      <section class="card">
        <h2>{label}</h2>
        <Loaded of={points}>{(value) => <Curve label={label} of={value} />}</Loaded>
        <p class="buttons">
          <a class="button plain" href={casesPath(signal.disease, signal.place)}>
            {t('cases.title')}
          </a>
          <a class="button plain" href={curvePath(signal.disease, signal.place)}>
            {t('signal.curve')}
          </a>
        </p>
      </section>
    </>
  );
}

export function SignalPage({ client, id }: { client: Client; id: string }) {
  const i18n = useI18n();
  const loaded = useLoad(() => load(client, id), id);
  const title =
    loaded.state === 'ready'
      ? `${diseaseName(i18n, loaded.value.signal.disease, loaded.value.signal.title)}, ${placeName(i18n, loaded.value.places, loaded.value.signal.place)}`
      : i18n.t('signal.title');
  return (
    <Page title={title} back="#/watch" isPassing={loaded.state === 'loading'}>
      <Loaded of={loaded}>
        {({ signal, places }) => <Shown client={client} signal={signal} places={places} />}
      </Loaded>
    </Page>
  );
}
