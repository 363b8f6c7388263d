// Problems, medicines, allergies, results. A record's own words stay in the language they were
// written in.
import { conceptText } from '../fhir/read';
import { useI18n } from '../i18n';
import { Card } from '../parts/card';
import { Page } from '../parts/page';
import { Empty } from '../parts/states';
import { Trend } from '../parts/trend';
import { useHealth } from './context';
import { type HealthRecord, isActive, type Series, seriesOf } from './record';
import { Wrong } from './wrong';

export function Problems({ record }: { record: HealthRecord }) {
  const { t, date } = useI18n();
  const active = record.conditions.filter(isActive);
  const past = record.conditions.filter((one) => !isActive(one));
  return (
    <Card title={t('summary.problems')} icon="heart">
      {active.length === 0 && <Empty>{t('summary.problems.none')}</Empty>}
      <ul class="rows">
        {active.map((one) => (
          <li key={one.id}>
            <bdi>{conceptText(one.code)}</bdi>
            <span class="end muted">{t('summary.since', { day: date(one.onsetDateTime) })}</span>
          </li>
        ))}
      </ul>
      {past.length > 0 && (
        <details>
          <summary>{t('summary.past')}</summary>
          <ul class="rows">
            {past.map((one) => (
              <li key={one.id}>
                <bdi>{conceptText(one.code)}</bdi>
                <span class="end muted">{date(one.onsetDateTime)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

export function Medicines({ record }: { record: HealthRecord }) {
  const { t, date } = useI18n();
  const active = record.medicines.filter((one) => one.status === 'active');
  const past = record.medicines.filter((one) => one.status !== 'active');
  const rows = (list: typeof active) => (
    <ul class="rows">
      {list.map((one) => (
        <li key={one.id}>
          <span>
            <bdi>{conceptText(one.medicationCodeableConcept)}</bdi>
            <br />
            <bdi class="muted">{one.dosageInstruction?.[0]?.text}</bdi>
          </span>
          <span class="end muted">{date(one.authoredOn)}</span>
        </li>
      ))}
    </ul>
  );
  return (
    <Card title={t('summary.medicines')} icon="pill">
      {active.length ? rows(active) : <Empty>{t('summary.medicines.none')}</Empty>}
      {past.length > 0 && (
        <details>
          <summary>{t('summary.past')}</summary>
          {rows(past)}
        </details>
      )}
    </Card>
  );
}

export function Allergies({ record }: { record: HealthRecord }) {
  const { t } = useI18n();
  return (
    <Card title={t('summary.allergies')} icon="alert">
      {record.allergies.length === 0 && <Empty>{t('summary.allergies.none')}</Empty>}
      <ul class="rows">
        {record.allergies.map((one) => (
          <li key={one.id}>
            <bdi>{conceptText(one.code)}</bdi>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Result({ series }: { series: Series }) {
  const i18n = useI18n();
  const { date, number } = i18n;
  const last = series.points.at(-1);
  const name = i18n.find(`result.${series.code}`) ?? series.name;
  if (!last) return null;
  return (
    <li class="result">
      <h3>
        <bdi>{name}</bdi>
      </h3>
      <p>
        <bdi class="figure">
          {number(last.value)} <span class="unit">{series.unit}</span>
        </bdi>
        <span class="muted">{date(last.when)}</span>
      </p>
      {series.points.length > 1 && <Trend name={name} unit={series.unit} points={series.points} />}
    </li>
  );
}

export function Results({ record }: { record: HealthRecord }) {
  const { t } = useI18n();
  const all = seriesOf(record.observations);
  return (
    <Card title={t('summary.results')} icon="flask">
      {all.length === 0 && <Empty>{t('summary.results.none')}</Empty>}
      <ul class="results">
        {all.map((series) => (
          <Result key={series.code} series={series} />
        ))}
      </ul>
    </Card>
  );
}

export function Summary() {
  const { t } = useI18n();
  const { record, base } = useHealth();
  return (
    <Page title={t('summary.title')} back={base}>
      {record.more && <p class="notice">{t('summary.more')}</p>}
      <div class="columns">
        <Problems record={record} />
        <Medicines record={record} />
        <Allergies record={record} />
      </div>
      <Results record={record} />
      <Wrong
        among={[
          ...record.conditions,
          ...record.medicines,
          ...record.allergies,
          ...record.observations,
        ]}
      />
    </Page>
  );
}
