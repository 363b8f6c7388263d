// My health: the person's own record.
import type { Client } from '../fhir/client';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import type { NodeInfo } from '../node';
import { Page } from '../parts/page';
import { Loaded } from '../parts/states';
import type { Route } from '../route';
import type { NavItem } from '../shell';
import { Shell } from '../shell';
import { Access } from './access';
import { Consents } from './consents';
import { HealthContext } from './context';
import { Download } from './download';
import { Home } from './home';
import { loadRecord } from './record';
import { Summary } from './summary';
import { Timeline } from './timeline';
import { Vaccines } from './vaccines';

const pages: Readonly<Record<string, () => preact.JSX.Element>> = {
  '': Home,
  vaccines: Vaccines,
  summary: Summary,
  timeline: Timeline,
  access: Access,
  consent: Consents,
  download: Download,
};

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

export default function HealthRoom({ client, node, route }: RoomProps) {
  const { t } = useI18n();
  const patient = client.session.patient ?? '';
  const record = useLoad(() => loadRecord(client, patient), patient);
  const name = route[1] ?? '';
  const Current = pages[name] ?? Home;
  const nav: NavItem[] = [
    { to: '#/health', icon: 'home', label: t('nav.home') },
    { to: '#/health/vaccines', icon: 'syringe', label: t('way.vaccines') },
    { to: '#/health/summary', icon: 'record', label: t('way.summary') },
    { to: '#/health/timeline', icon: 'visits', label: t('nav.timeline') },
    { to: '#/health/access', icon: 'eye', label: t('nav.access') },
  ];
  return (
    <Shell node={node} nav={nav} room={t('room.health')} isSignedIn>
      {record.state === 'ready' ? (
        <HealthContext.Provider value={{ client, node, record: record.value }}>
          <Current key={name} />
        </HealthContext.Provider>
      ) : (
        <Page title={t('home.title')} isPassing>
          <Loaded of={record}>{() => null}</Loaded>
        </Page>
      )}
    </Shell>
  );
}
