// Growth: weight and height against WHO's curves, and what that means in one sentence.
import standards from '../data/growth.json';
import { useI18n } from '../i18n';
import { Card } from '../parts/card';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Plot, points, type Tick } from '../parts/plot';
import { Empty } from '../parts/states';
import { useHealth } from './context';
import {
  type Band,
  bandOf,
  byAge,
  chartEnd,
  curves,
  LAST_DAY,
  type Measured,
  type Measurement,
  type Row,
  type Sex,
  type Standards,
  zOf,
} from './lms';
import { today } from './plan';
import { seriesOf } from './record';

const HEIGHT = 230;
const codes: Readonly<Record<Measured, string>> = { weight: '29463-7', height: '8302-2' };

function Verdict({ band }: { band: Band }) {
  const { t } = useI18n();
  const isWithin = band === 'within';
  const isFar = band.startsWith('far');
  return (
    <p class="growth-verdict">
      <span class={`mark mark-${isWithin ? 'given' : isFar ? 'late' : 'due'}`}>
        <Icon name={isWithin ? 'check' : 'alert'} />
        {t(`growth.${band}`)}
      </span>{' '}
      {!isWithin && <span>{t('growth.show')}</span>}
    </p>
  );
}

interface ChartProps {
  name: string;
  unit: string;
  rows: readonly Row[];
  list: readonly Measurement[];
  end: number; // day of age
}

function Chart({ name, unit, rows, list, end }: ChartProps) {
  const i18n = useI18n();
  const { t, number, date } = i18n;
  const lines = curves(rows, end);
  const shown = list.filter(({ day }) => day <= end);
  const values = [
    ...lines.flatMap(({ points: [first, ...rest] }) => [first?.[1] ?? 0, rest.at(-1)?.[1] ?? 0]),
    ...shown.map(({ value }) => value),
  ];
  const isTwo = end <= 730;
  const years: Tick[] = Array.from({ length: isTwo ? 5 : 6 }, (_, i) => ({
    at: isTwo ? (i * end) / 4 : (i * end) / 5,
    text: number(isTwo ? i * 6 : i),
  }));
  return (
    <figure class="trend growth">
      <Plot
        label={t('growth.chart', { name })}
        across={[0, end]}
        up={[Math.min(...values), Math.max(...values)]}
        ticks={years}
        height={HEIGHT}
      >
        {(place) => (
          <>
            {lines.map((line) => (
              <g key={line.z} class={`curve curve-${Math.abs(line.z)}`}>
                <polyline points={points(place, line.points)} />
                <text
                  x={place.isRtl ? place.end + 4 : place.end - 4}
                  y={place.y(line.points.at(-1)?.[1] ?? 0) - 3}
                  direction="ltr"
                  text-anchor={place.isRtl ? 'start' : 'end'}
                >
                  {line.z > 0 ? `+${number(line.z)}` : number(line.z)}
                </text>
              </g>
            ))}
            <polyline
              points={points(
                place,
                shown.map(({ day, value }) => [day, value] as const),
              )}
            />
            {shown.map(({ day, value }) => (
              <circle key={day} cx={place.x(day)} cy={place.y(value)} r="3.5" />
            ))}
          </>
        )}
      </Plot>
      <figcaption class="muted small">
        {t(isTwo ? 'growth.months' : 'growth.years', { unit })}
      </figcaption>
      <details>
        <summary>{t('trend.table')}</summary>
        <table>
          <caption class="unseen">{name}</caption>
          <thead>
            <tr>
              <th scope="col">{t('trend.date')}</th>
              <th scope="col">{t('trend.value', { unit })}</th>
              <th scope="col">{t('growth.lines')}</th>
            </tr>
          </thead>
          <tbody>
            {[...list].reverse().map(({ when, day, value }) => {
              const z = zOf(rows, day, value);
              return (
                <tr key={when}>
                  <td>{date(when)}</td>
                  <td>{number(value)}</td>
                  <td>
                    <bdi>{z === undefined ? '' : number(Math.round(z * 10) / 10)}</bdi>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

function Measure({ of, sex, birth }: { of: Measured; sex: Sex; birth: string }) {
  const i18n = useI18n();
  const { t, number, date } = i18n;
  const { record } = useHealth();
  const series = seriesOf(record.observations).find(({ code }) => code === codes[of]);
  const name = i18n.find(`result.${codes[of]}`) ?? '';
  const list = byAge(birth, series?.points ?? []).filter(({ day }) => day <= LAST_DAY);
  const last = list.at(-1);
  const rows = (standards as unknown as Standards)[of][sex];
  const z = last && zOf(rows, last.day, last.value);
  const unit = series?.unit ?? '';
  return (
    <Card title={name} icon="chart">
      {!last && <Empty>{t('growth.none')}</Empty>}
      {last && (
        <p class="growth-last">
          <bdi class="figure">
            {number(last.value)} <span class="unit">{unit}</span>
          </bdi>{' '}
          <span class="muted">{date(last.when)}</span>
        </p>
      )}
      {z !== undefined && <Verdict band={bandOf(z)} />}
      {last && (
        <Chart name={name} unit={unit} rows={rows} list={list} end={chartEnd(birth, today())} />
      )}
    </Card>
  );
}

function isSex(gender: string | undefined): gender is Sex {
  return gender === 'male' || gender === 'female';
}

export default function Growth() {
  const { t } = useI18n();
  const { record, base } = useHealth();
  const { birthDate, gender } = record.patient;
  return (
    <Page title={t('growth.title')} back={base} lead={t('growth.lead')}>
      {birthDate?.length === 10 && isSex(gender) ? (
        <div class="growths">
          <Measure of="weight" sex={gender} birth={birthDate} />
          <Measure of="height" sex={gender} birth={birthDate} />
        </div>
      ) : (
        <Empty>{t('growth.unknown')}</Empty>
      )}
      <p class="muted small">{t('growth.source')}</p>
    </Page>
  );
}
