// The first page: what comes next, and the ways into the record.

import { namesOf } from '../fhir/read';
import { useI18n } from '../i18n';
import { Card } from '../parts/card';
import { Icon, type IconName } from '../parts/icon';
import { Page } from '../parts/page';
import { documentsOf } from './attached';
import { useHealth } from './context';
import { DoseMark, vaccineAgainst, vaccineName } from './doses';
import { hasGrowth } from './lms';
import { today, usePlan } from './plan';
import { isActive, seriesOf } from './record';
import { nextDoses } from './schedule';
import { remindersOf } from './to-come';

interface Tile {
  to: string;
  icon: IconName;
  title: string;
  note: string;
}

function Next() {
  const i18n = useI18n();
  const { t } = i18n;
  const { base } = useHealth();
  const doses = usePlan();
  const next = nextDoses(doses);
  const [first] = next;
  if (!first)
    return (
      <Card class="hero calm" title={t('next.none')} icon="check">
        <p>{doses.length ? t('next.none.done') : t('next.none.help')}</p>
      </Card>
    );
  return (
    <Card class={`hero ${first.state}`} title={t('next.title')} icon="syringe">
      <p class="hero-when">
        <DoseMark dose={first} />
      </p>
      <ul class="plain-list">
        {next.map((dose) => (
          <li key={dose.cvx}>
            <strong>{vaccineName(i18n, dose.cvx, dose.cvx)}</strong>{' '}
            <span class="muted">{vaccineAgainst(i18n, dose.cvx)}</span>
          </li>
        ))}
      </ul>
      <a class="button" href={`${base}/vaccines`}>
        {t('next.open')}
      </a>
    </Card>
  );
}

function useTiles(): Tile[] {
  const { t, number, date } = useI18n();
  const { record, base, isOwn } = useHealth();
  const doses = usePlan();
  const active = record.conditions.filter(isActive).length;
  const medicines = record.medicines.filter((one) => one.status === 'active').length;
  const visit = record.encounters[0]?.period?.start;
  const tiles: (Tile | false | undefined)[] = [
    {
      to: `${base}/vaccines`,
      icon: 'syringe',
      title: t('nav.vaccines'),
      note: t('tile.vaccines', { n: number(record.immunizations.length) }),
    },
    hasGrowth(record.patient.birthDate, today()) && {
      to: `${base}/growth`,
      icon: 'chart',
      title: t('nav.growth'),
      note: t('tile.growth'),
    },
    {
      to: `${base}/summary`,
      icon: 'record',
      title: t('nav.summary'),
      note: t('tile.summary', {
        problems: number(active),
        medicines: number(medicines),
        results: number(seriesOf(record.observations).length),
      }),
    },
    {
      to: `${base}/timeline`,
      icon: 'visits',
      title: t('nav.timeline'),
      note: visit ? t('tile.timeline', { day: date(visit) }) : t('tile.timeline.none'),
    },
    {
      to: `${base}/reminders`,
      icon: 'clock',
      title: t('nav.reminders'),
      note: t('tile.reminders', {
        n: number(remindersOf(record.appointments, doses, today()).length),
      }),
    },
    {
      to: `${base}/documents`,
      icon: 'papers',
      title: t('nav.documents'),
      note: t('tile.documents', { n: number(documentsOf(record.all).length) }),
    },
    isOwn && {
      to: `${base}/access`,
      icon: 'eye',
      title: t('nav.access'),
      note: t('tile.access'),
    },
    isOwn && {
      to: `${base}/consent`,
      icon: 'shield',
      title: t('nav.consent'),
      note: t('tile.consent'),
    },
    { to: `${base}/card`, icon: 'code', title: t('nav.card'), note: t('tile.card') },
    {
      to: `${base}/download`,
      icon: 'download',
      title: t('nav.download'),
      note: t('tile.download'),
    },
    {
      to: `${base}/rights`,
      icon: 'scales',
      title: t('nav.rights'),
      note: isOwn ? t('tile.rights') : t('tile.rights.other'),
    },
  ];
  return tiles.filter((tile): tile is Tile => Boolean(tile));
}

export function Home() {
  const { t, date } = useI18n();
  const { record, isOwn } = useHealth();
  const { name, other } = namesOf(record.patient.name);
  return (
    <Page
      title={isOwn ? t('home.title') : t('home.other')}
      lead={
        <>
          <bdi class="name">{name}</bdi>
          {other && (
            <>
              {' '}
              <bdi class="muted">({other})</bdi>
            </>
          )}
          {record.patient.birthDate && (
            <span class="muted">
              {' '}
              · {t('person.born', { day: date(record.patient.birthDate) })}
            </span>
          )}
        </>
      }
    >
      <Next />
      <ul class="tiles">
        {useTiles().map((tile) => (
          <li key={tile.to}>
            <a href={tile.to}>
              <Icon name={tile.icon} />
              <span class="tile-title">{tile.title}</span>
              <span class="tile-note">{tile.note}</span>
            </a>
          </li>
        ))}
      </ul>
      <p class="muted small">{t('home.as', { day: date(today()) })}</p>
    </Page>
  );
}
