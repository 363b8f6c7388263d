// My patients who wait for a vaccination, who has waited longest first.
import schedule from '../data/schedule.json';
import type { Client } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Immunization, Patient, Resource } from '../fhir/types';
import { vaccineName } from '../health/doses';
import { today } from '../health/plan';
import type { Schedule } from '../health/schedule';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import { bornSince, type Waiting, waiting } from './due-list';

const PAGE = 500;

async function load(client: Client): Promise<{ list: Waiting[]; more: boolean }> {
  const day = today();
  const since = bornSince(schedule as Schedule, day);
  const path = `Patient?birthdate=ge${since}&_revinclude=Immunization:patient&_count=${PAGE}`;
  const { list, more } = await client.all<Resource>(path);
  const of = <T extends Resource>(type: T['resourceType']) =>
    list.filter((one): one is T => one.resourceType === type);
  const people = of<Patient>('Patient');
  const given = of<Immunization>('Immunization');
  return { list: waiting(schedule as Schedule, people, given, day), more };
}

function Row({ person, doses, isLate }: Waiting) {
  const i18n = useI18n();
  const { t, date } = i18n;
  const { name, other } = namesOf(person.name);
  const phone = person.telecom?.find(({ system }) => system === 'phone')?.value;
  const since = date(doses[0]?.day);
  return (
    <li>
      <span>
        <a href={`#/care/record/${person.id}`}>
          <strong>
            <bdi>{name}</bdi>
          </strong>
        </a>{' '}
        {other && <bdi class="muted">{other}</bdi>}
        <br />
        <span class="muted">{t('person.born', { day: date(person.birthDate) })}</span>
        {phone && (
          <>
            {' · '}
            <a href={`tel:${phone.replace(/\s/g, '')}`}>
              <bdi dir="ltr">{phone}</bdi>
            </a>
          </>
        )}
        <br />
        {doses.map(({ cvx }) => vaccineName(i18n, cvx, cvx)).join(', ')}
      </span>
      <span class="end">
        <span class={`mark mark-${isLate ? 'late' : 'due'}`}>
          <Icon name={isLate ? 'alert' : 'syringe'} />
          {isLate ? t('dose.late', { day: since }) : t('dose.due', { day: since })}
        </span>
      </span>
    </li>
  );
}

export function Due({ client }: { client: Client }) {
  const { t, number } = useI18n();
  const loaded = useLoad(() => load(client), '');
  return (
    <Page title={t('due.title')} lead={t('due.lead')}>
      <Loaded of={loaded}>
        {({ list, more }) => (
          <>
            {more && <p class="notice">{t('due.more')}</p>}
            {list.length === 0 && <Empty>{t('due.none')}</Empty>}
            {list.length > 0 && (
              <>
                <p class="muted" role="status">
                  {t('find.total', { n: number(list.length) })}
                </p>
                <ul class="rows card">
                  {list.map((one) => (
                    <Row key={one.person.id} {...one} />
                  ))}
                </ul>
                <button type="button" class="button plain print" onClick={() => print()}>
                  {t('due.print')}
                </button>
              </>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}
