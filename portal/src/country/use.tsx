// How much the facilities write down: visits by week, who writes, how soon, and the same by place.
import type { Client } from '../fhir/client';
import { ask } from '../fhir/own';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Behind } from '../parts/behind';
import { Card } from '../parts/card';
import { Page } from '../parts/page';
import { type Place, Plot } from '../parts/plot';
import { Empty, Loaded } from '../parts/states';
import { useWidth, WIDE } from '../parts/width';
import { mondayOf } from '../watch/series';
import { weekShort } from '../watch/words';
import type { Use, UseOf } from './answers';
import { PrintButton, ShareBar, Where } from './parts';
import { countText, partName, placeOf, usePath } from './words';

const GAP = 0.15; // of a bar's width

// The last week of the records is not over.
const lastWhole = (list: readonly number[]) => list.at(-2) ?? 0;

function reporting(use: UseOf) {
  const [of, wrote] = [use.facilities, lastWhole(use.reporting)];
  return { of, with: wrote, percent: of ? Math.round((wrote * 100) / of) : null };
}

function bars(place: Place, list: readonly (number | null)[], from: number): string {
  return list
    .map((n, i) => {
      if (!n) return '';
      const [a, b] = [place.x(from + i + GAP), place.x(from + i + 1 - GAP)];
      const [low, high] = [place.y(0).toFixed(1), place.y(n).toFixed(1)];
      return `M${a.toFixed(1)} ${low}V${high}H${b.toFixed(1)}V${low}z`;
    })
    .join('');
}

function Visits({ use }: { use: Use }) {
  const i18n = useI18n();
  const { t, month, number } = i18n;
  const width = useWidth();
  const n = use.weeks.length;
  const most = Math.max(5, ...use.visits.map((count) => count ?? 0));
  const ticks = [0, Math.floor(n / 2), n - 1].map((i) => ({
    at: i + 0.5,
    text: month(new Date(mondayOf(use.weeks[i] ?? '')).toISOString()),
  }));
  return (
    <figure class="months">
      <Plot
        label={t('use.visits')}
        across={[0, n]}
        up={[0, most]}
        ticks={ticks}
        width={width}
        height={width === WIDE ? 220 : 170}
      >
        {(place) => (
          <>
            <path class="use-visits" d={bars(place, use.visits.slice(0, -1), 0)} />
            <path class="use-open" d={bars(place, use.visits.slice(-1), n - 1)} />
          </>
        )}
      </Plot>
      <p class="muted small">{t('use.open')}</p>
      <Behind
        caption={t('use.visits')}
        columns={[t('curve.week'), t('use.count'), t('use.wrote')]}
        length={n}
        row={(i) => {
          const at = n - 1 - i;
          const week = use.weeks[at] ?? '';
          return {
            key: week,
            cells: [
              <bdi key="week">{weekShort(week)}</bdi>,
              countText(i18n, use.visits[at] ?? null),
              number(use.reporting[at] ?? 0),
            ],
          };
        }}
      />
    </figure>
  );
}

function Delays({ use }: { use: Use }) {
  const i18n = useI18n();
  const { t, number } = i18n;
  const all = use.delays.reduce<number>((sum, n) => sum + (n ?? 0), 0);
  const names = [
    ...use.delayDays.map((days, i) => {
      const before = use.delayDays[i - 1];
      return before === undefined
        ? t('use.within')
        : t('use.range', { from: number(before + 1), to: number(days) });
    }),
    t('use.later'),
    t('use.unsaid'),
  ];
  return (
    <Card title={t('use.delays')} icon="clock">
      <p class="muted">{t('use.delays.what')}</p>
      <ul class="shares">
        {use.delays.map((n, i) => (
          <li key={names[i]}>
            <span>{names[i]}</span>
            <ShareBar
              share={{
                of: all,
                with: n,
                percent: n === null || !all ? null : Math.round((n * 100) / all),
              }}
            />
            <span class="muted small">{countText(i18n, n)}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Places({ parts }: { parts: Use['parts'] }) {
  const i18n = useI18n();
  const { t, number } = i18n;
  if (!parts.length) return null;
  return (
    <Card title={t('country.places')} icon="globe">
      <ul class="shares">
        {parts.map((part) => (
          <li key={part.id}>
            <a href={usePath(part.id ?? undefined)}>
              <bdi>{partName(i18n, part)}</bdi>
            </a>
            <ShareBar share={reporting(part)} />
            <span class="muted small">
              {t('use.last', {
                n: number(lastWhole(part.reporting)),
                of: number(part.facilities),
                visits: countText(i18n, part.visits.at(-2) ?? null),
              })}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Shown({ use }: { use: Use }) {
  const i18n = useI18n();
  const { t, number } = i18n;
  if (!use.until) return <Empty>{t('country.nothing')}</Empty>;
  return (
    <>
      <Where path={use.path} to={usePath} />
      <Card title={t('use.visits')} icon="chart">
        <Visits use={use} />
      </Card>
      <div class="country-columns">
        <Card title={t('use.facilities')} icon="home">
          <p>
            {t('use.last', {
              n: number(lastWhole(use.reporting)),
              of: number(use.facilities),
              visits: countText(i18n, use.visits.at(-2) ?? null),
            })}
          </p>
          <ShareBar share={reporting(use)} />
        </Card>
        <Delays use={use} />
        <Places parts={use.parts} />
      </div>
      <PrintButton />
    </>
  );
}

export function UsePage({ client, place }: { client: Client; place: string | undefined }) {
  const i18n = useI18n();
  const { t } = i18n;
  const loaded = useLoad(() => ask<Use>(client, '$use', { location: place }), place ?? '');
  const at = loaded.state === 'ready' ? placeOf(i18n, loaded.value.path) : '';
  return (
    <Page
      title={t('use.title')}
      lead={place ? at : t('use.lead')}
      isPassing={place !== undefined && loaded.state === 'loading'}
    >
      <Loaded of={loaded}>{(use) => <Shown use={use} />}</Loaded>
    </Page>
  );
}
