// The situation: signals, the most urgent first, each with its clock; and every disease at a glance.
import { useState } from 'preact/hooks';
import type { Client } from '../fhir/client';
import { ask } from '../fhir/own';
import type { Bundle } from '../fhir/types';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import { loadPlaces, type Places } from './places';
import type { Counts, Series } from './series';
import { byUrgency, isOverdue, readSignal, type Signal, type SignalTask } from './signal';
import { curvePath, diseaseName, placeName, weekName } from './words';

const ASKED = 200; // signals at once
const ROWS = 20; // of them on the page, until more are asked for
const SHOWN_WEEKS = 12;
const RECENT_WEEKS = 4;

export function Urgency({ signal }: { signal: Signal }) {
  const { t } = useI18n();
  return (
    <span class={`mark mark-${signal.isUrgent ? 'late' : 'due'}`}>
      <Icon name={signal.isUrgent ? 'alert' : 'eye'} />
      {t(signal.isUrgent ? 'board.urgent' : 'board.soon')}
    </span>
  );
}

export function Clock({ signal }: { signal: Signal }) {
  const { t, ago, dateTime } = useI18n();
  const isLate = isOverdue(signal, Date.now());
  return (
    <span class={isLate ? 'clock late' : 'clock'}>
      <Icon name="clock" />
      <time dateTime={signal.found} title={dateTime(signal.found)}>
        {t(isLate ? 'board.waits' : 'board.found', { when: ago(signal.found) })}
      </time>
    </span>
  );
}

function Row({ signal, places }: { signal: Signal; places: Places }) {
  const i18n = useI18n();
  const { t, number } = i18n;
  return (
    <li class={`signal ${signal.isUrgent ? 'urgent' : ''}`}>
      <a href={`#/watch/signal/${signal.id}`}>
        <span class="signal-name">
          {diseaseName(i18n, signal.disease, signal.title)}
          {' · '}
          <bdi>{placeName(i18n, places, signal.place)}</bdi>
        </span>
        <span>
          {t('board.cases', { n: number(signal.count), week: weekName(i18n, signal.week) })}
          {signal.expected !== undefined &&
            ` · ${t('board.expected', { n: number(Math.round(signal.expected * 10) / 10) })}`}
        </span>
      </a>
      <span class="signal-end">
        <Urgency signal={signal} />
        <span class="mark mark-coming">
          {i18n.find(`signal.state.${signal.state}`) ?? signal.state}
        </span>
        <Clock signal={signal} />
      </span>
    </li>
  );
}

function Signals({ list, places, more }: { list: Signal[]; places: Places; more: boolean }) {
  const { t, number } = useI18n();
  const [shown, setShown] = useState(ROWS);
  if (!list.length) return <Empty>{t('board.none')}</Empty>;
  const urgent = list.filter(({ isUrgent }) => isUrgent).length;
  return (
    <>
      <p role="status">
        {t('board.total', { n: number(list.length), urgent: number(urgent) })}
        {more && ` ${t('board.more')}`}
      </p>
      <ul class="signals">
        {list.slice(0, shown).map((signal) => (
          <Row key={signal.id} signal={signal} places={places} />
        ))}
      </ul>
      {shown < list.length && (
        <button type="button" class="button plain" onClick={() => setShown(shown + ROWS)}>
          {t('table.more')}
        </button>
      )}
    </>
  );
}

const SPARK = { width: 84, height: 24 };

// The last weeks as small bars; the numbers beside them say the same.
function Spark({ counts }: { counts: readonly number[] }) {
  const { language } = useI18n();
  const most = Math.max(1, ...counts);
  const step = SPARK.width / counts.length;
  const d = counts.map((n, i) => {
    const at = (language.rtl ? counts.length - 1 - i : i) * step + 1;
    const high = Math.max(n ? 1.5 : 0.5, (n / most) * (SPARK.height - 2));
    return `M${at.toFixed(1)} ${SPARK.height}v${(-high).toFixed(1)}h${(step - 2).toFixed(1)}V${SPARK.height}z`;
  });
  return (
    <svg class="spark" viewBox={`0 0 ${SPARK.width} ${SPARK.height}`} aria-hidden="true">
      <path d={d.join('')} />
    </svg>
  );
}

const sum = (list: readonly number[]) => list.reduce((all, n) => all + n, 0);

function Diseases({ counts }: { counts: Counts }) {
  const i18n = useI18n();
  const { t, number, date } = i18n;
  const recent = ({ counts: list }: Series) => sum(list.slice(-RECENT_WEEKS));
  const before = ({ counts: list }: Series) => sum(list.slice(-2 * RECENT_WEEKS, -RECENT_WEEKS));
  const list = counts.series
    .filter((one) => sum(one.counts) > 0)
    .sort((a, b) => recent(b) - recent(a) || sum(b.counts) - sum(a.counts));
  return (
    <section class="card">
      <h2>{t('board.diseases')}</h2>
      <p class="muted">{t('board.until', { day: date(counts.until) })}</p>
      {list.length === 0 && <Empty>{t('board.nothing')}</Empty>}
      {list.length > 0 && (
        <table class="glance">
          <thead>
            <tr>
              <th scope="col">{t('curve.disease')}</th>
              <th scope="col">{t('board.recent')}</th>
              <th scope="col">{t('board.before')}</th>
              <th scope="col" class="wide">
                {t('board.weeks')}
              </th>
            </tr>
          </thead>
          <tbody>
            {list.map((one) => (
              <tr key={one.disease}>
                <th scope="row">
                  <a href={curvePath(one.disease)}>{diseaseName(i18n, one.disease)}</a>
                </th>
                <td>
                  <strong>{number(recent(one))}</strong>
                </td>
                <td>{number(before(one))}</td>
                <td class="wide">
                  <Spark counts={one.counts.slice(-SHOWN_WEEKS)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

async function load(client: Client) {
  const [bundle, places, counts] = await Promise.all([
    ask<Bundle<SignalTask>>(client, '$signals', { count: ASKED }),
    loadPlaces(client),
    ask<Counts>(client, '$series', {}),
  ]);
  const all = (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []);
  const list = all
    .map(readSignal)
    .filter(({ isOpen }) => isOpen)
    .sort(byUrgency);
  return { list, places, counts, more: all.length === ASKED };
}

export function Board({ client }: { client: Client }) {
  const { t } = useI18n();
  const loaded = useLoad(() => load(client), '');
  return (
    <Page title={t('board.title')} lead={t('board.lead')}>
      <Loaded of={loaded}>
        {({ list, places, counts, more }) => (
          <>
            <Signals list={list} places={places} more={more} />
            <Diseases counts={counts} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
