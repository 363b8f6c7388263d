// One record and its pages: a person's own, or of somebody whom they act for, who then sees less
// (docs/decisions/0035).
import { lazy, Suspense } from 'preact/compat';
import type { Client } from '../fhir/client';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import type { NodeInfo } from '../node';
import { Page } from '../parts/page';
import { Loaded, Waiting } from '../parts/states';
import type { Route } from '../route';
import type { NavItem } from '../shell';
import { Shell } from '../shell';
import { Access } from './access';
import { Consents } from './consents';
import { HealthContext } from './context';
import { Documents } from './documents';
import { Download } from './download';
import { Home } from './home';
import { loadRecord } from './record';
import { Reminders } from './reminders';
import { Summary } from './summary';
import { Timeline } from './timeline';
import { Vaccines } from './vaccines';

const Growth = lazy(() => import('./growth'));
const HealthCard = lazy(() => import('./card'));
const Rights = lazy(() => import('./rights'));
const WholeRecord = lazy(() => import('./whole'));
const Correct = lazy(() => import('./correct'));

type Component = () => preact.JSX.Element;

const shared: Readonly<Record<string, Component>> = {
  '': Home,
  vaccines: Vaccines,
  growth: Growth,
  summary: Summary,
  timeline: Timeline,
  documents: Documents,
  reminders: Reminders,
  card: HealthCard,
  download: Download,
  rights: Rights,
  whole: WholeRecord,
};

const own: Readonly<Record<string, Component>> = {
  access: Access,
  consent: Consents,
  correct: Correct,
};

interface RecordPagesProps {
  client: Client;
  node: NodeInfo;
  patient: string;
  base: string;
  page: string;
  isOwn: boolean;
  back?: NavItem; // to where this record was chosen
}

export function RecordPages({ client, node, patient, base, page, isOwn, back }: RecordPagesProps) {
  const { t } = useI18n();
  const record = useLoad(() => loadRecord(client, patient), patient);
  const Current = shared[page] ?? (isOwn ? own[page] : undefined) ?? Home;
  const nav: NavItem[] = [
    { to: base, icon: 'home', label: t('nav.home') },
    { to: `${base}/vaccines`, icon: 'syringe', label: t('way.vaccines') },
    { to: `${base}/summary`, icon: 'record', label: t('way.summary') },
    { to: `${base}/timeline`, icon: 'visits', label: t('nav.timeline') },
    back ?? { to: `${base}/access`, icon: 'eye', label: t('nav.access') },
  ];
  return (
    <Shell node={node} nav={nav} room={t(isOwn ? 'room.health' : 'room.family')} isSignedIn>
      {record.state === 'ready' ? (
        <HealthContext.Provider value={{ client, node, record: record.value, base, isOwn }}>
          <Suspense
            fallback={
              <Page title={t('home.title')} isPassing>
                <Waiting />
              </Page>
            }
          >
            <Current key={page} />
          </Suspense>
        </HealthContext.Provider>
      ) : (
        <Page title={t('home.title')} isPassing>
          <Loaded of={record}>{() => null}</Loaded>
        </Page>
      )}
    </Shell>
  );
}

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

export default function HealthRoom({ client, node, route }: RoomProps) {
  return (
    <RecordPages
      client={client}
      node={node}
      patient={client.session.patient ?? ''}
      base="#/health"
      page={route[1] ?? ''}
      isOwn
    />
  );
}
