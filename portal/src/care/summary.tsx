// One person's record on one screen, for whoever cares for them.

import schedule from '../data/schedule.json';
import type { Client } from '../fhir/client';
import { namesOf } from '../fhir/read';
import { HealthContext } from '../health/context';
import { DoseMark, vaccineName } from '../health/doses';
import { today } from '../health/plan';
import { type HealthRecord, loadRecord } from '../health/record';
import { nextDoses, plan, type Schedule } from '../health/schedule';
import { Allergies, Medicines, Problems, Results } from '../health/summary';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import type { NodeInfo } from '../node';
import { Card } from '../parts/card';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Loaded } from '../parts/states';

function Due({ record }: { record: HealthRecord }) {
  const i18n = useI18n();
  const doses = plan(schedule as Schedule, record.patient, record.immunizations, today());
  const open = nextDoses(doses);
  return (
    <Card title={i18n.t('nav.vaccines')} icon="syringe">
      {open.length === 0 && <p class="empty">{i18n.t('next.none')}</p>}
      <ul class="rows">
        {open.map((dose) => (
          <li key={dose.cvx}>
            <strong>{vaccineName(i18n, dose.cvx, dose.cvx)}</strong>
            <span class="end">
              <DoseMark dose={dose} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

interface SheetProps {
  record: HealthRecord;
  until: number | undefined;
}

function Sheet({ record, until }: SheetProps) {
  const i18n = useI18n();
  const { patient } = record;
  const { name, other } = namesOf(patient.name);
  return (
    <Page
      title={name}
      tab={i18n.t('room.care')}
      back="#/care"
      lead={
        <>
          {other && <bdi>{other} · </bdi>}
          {i18n.t('person.born', { day: i18n.date(patient.birthDate) })}
          {' · '}
          {i18n.find(`gender.${patient.gender}`)}
          {' · '}
          <bdi>{patient.identifier?.[0]?.value}</bdi>
        </>
      }
    >
      {until !== undefined && (
        <p class="notice late">
          {i18n.t('glass.until', { when: i18n.dateTime(new Date(until).toISOString()) })}
        </p>
      )}
      <p>
        <a class="button" href={`#/care/visit/${patient.id}`}>
          <Icon name="add" />
          {i18n.t('visit.new')}
        </a>
      </p>
      <div class="columns">
        <Problems record={record} />
        <Allergies record={record} />
        <Medicines record={record} />
        <Due record={record} />
      </div>
      <Results record={record} />
    </Page>
  );
}

interface SummaryProps {
  client: Client;
  node: NodeInfo;
  patient: string;
  until?: number; // the glass was broken for this record, and so long
}

export function CareSummary({ client, node, patient, until }: SummaryProps) {
  const { t } = useI18n();
  const record = useLoad(() => loadRecord(client, patient), patient);
  if (record.state !== 'ready')
    return (
      <Page title={t('page.title')} back="#/care" isPassing>
        <Loaded of={record}>{() => null}</Loaded>
      </Page>
    );
  return (
    <HealthContext.Provider
      value={{ client, node, record: record.value, base: '#/care', isOwn: false }}
    >
      <Sheet record={record.value} until={until} />
    </HealthContext.Provider>
  );
}
