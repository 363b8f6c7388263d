// The first page: what comes next, and the ways into the record.

import { namesOf } from '../fhir/read';
import { useI18n } from '../i18n';
import { Card } from '../parts/card';
import { Icon, type IconName } from '../parts/icon';
import { Page } from '../parts/page';
import { useHealth } from './context';
import { DoseMark, vaccineAgainst, vaccineName } from './doses';
import { today, usePlan } from './plan';
import { isActive, seriesOf } from './record';
import { nextDoses } from './schedule';

interface Tile {
  to: string;
  icon: IconName;
  title: string;
  note: string;
}

function Next() {
  const i18n = useI18n();
  const { t } = i18n;
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
      <a class="button" href="#/health/vaccines">
        {t('next.open')}
      </a>
    </Card>
  );
}

function useTiles(): Tile[] {
  const { t, number, date } = useI18n();
  const { record } = useHealth();
  const active = record.conditions.filter(isActive).length;
  const medicines = record.medicines.filter((one) => one.status === 'active').length;
  const visit = record.encounters[0]?.period?.start;
  return [
    {
      to: '#/health/vaccines',
      icon: 'syringe',
      title: t('nav.vaccines'),
      note: t('tile.vaccines', { n: number(record.immunizations.length) }),
    },
    {
      to: '#/health/summary',
      icon: 'record',
      title: t('nav.summary'),
      note: t('tile.summary', {
        problems: number(active),
        medicines: number(medicines),
        results: number(seriesOf(record.observations).length),
      }),
    },
    {
      to: '#/health/timeline',
      icon: 'visits',
      title: t('nav.timeline'),
      note: visit ? t('tile.timeline', { day: date(visit) }) : t('tile.timeline.none'),
    },
    { to: '#/health/access', icon: 'eye', title: t('nav.access'), note: t('tile.access') },
    { to: '#/health/consent', icon: 'shield', title: t('nav.consent'), note: t('tile.consent') },
    {
      to: '#/health/download',
      icon: 'download',
      title: t('nav.download'),
      note: t('tile.download'),
    },
  ];
}

export function Home() {
  const { t, date } = useI18n();
  const { record } = useHealth();
  const { name, other } = namesOf(record.patient.name);
  return (
    <Page
      title={t('home.title')}
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
