// The people whom somebody acts for: children, and others who let them; and they themselves, where
// their account is that of a patient as well.
import type { Client } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Patient } from '../fhir/types';
import { RecordPages } from '../health/room';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import type { NodeInfo } from '../node';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loaded } from '../parts/states';
import type { Route } from '../route';
import { Shell } from '../shell';
import { loadSelf } from './self';

const BASE = '#/family';

interface Family {
  list: readonly Patient[]; // oneself first
  self: string | undefined; // id of one's own Patient
}

async function loadFamily(client: Client): Promise<Family> {
  const [{ list }, self] = await Promise.all([
    client.all<Patient>('Patient?_sort=-birthdate'),
    loadSelf(client),
  ]);
  const isSelf = (person: Patient) => person.id === self;
  return { list: [...list.filter(isSelf), ...list.filter((one) => !isSelf(one))], self };
}

function People({ list, self }: Family) {
  const { t, date } = useI18n();
  if (!list.length) return <Empty>{t('family.none')}</Empty>;
  return (
    <ul class="doors">
      {list.map((person) => {
        const { name, other } = namesOf(person.name);
        return (
          <li key={person.id}>
            <a href={`${BASE}/${person.id}`}>
              <Icon name="person" />
              <span class="tile-title">
                <bdi>{name}</bdi>
              </span>
              <span class="tile-note">
                {person.id === self && (
                  <>
                    {t('family.self')}
                    <br />
                  </>
                )}
                {other && (
                  <>
                    <bdi>{other}</bdi>
                    <br />
                  </>
                )}
                {t('person.born', { day: date(person.birthDate) })}
              </span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

// Whoever acts for one person alone is led to that record.
export default function FamilyRoom({ client, node, route }: RoomProps) {
  const { t } = useI18n();
  const family = useLoad(() => loadFamily(client), BASE);
  const { list, self } = family.state === 'ready' ? family.value : { list: [], self: undefined };
  const isOne = list.length === 1;
  const patient = route[1] ?? (isOne ? list[0]?.id : undefined);
  // Whose record it is says what the page has.
  if (patient && family.state === 'ready')
    return (
      <RecordPages
        key={patient}
        client={client}
        node={node}
        patient={patient}
        base={`${BASE}/${patient}`}
        page={route[2] ?? ''}
        isOwn={patient === self}
        back={
          isOne
            ? { to: `${BASE}/${patient}/growth`, icon: 'chart', label: t('nav.growth') }
            : { to: BASE, icon: 'person', label: t('way.family') }
        }
      />
    );
  return (
    <Shell node={node} room={t('room.family')} isSignedIn>
      <Page title={t('family.title')} lead={t('family.lead')} isPassing={family.state !== 'ready'}>
        <Loaded of={family}>{(all) => <People {...all} />}</Loaded>
      </Page>
    </Shell>
  );
}
