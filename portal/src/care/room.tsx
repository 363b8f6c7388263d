// Care: the people whom a health worker looks after, and how others are found in need.
import { lazy, Suspense } from 'preact/compat';
import type { Client } from '../fhir/client';
import { useI18n } from '../i18n';
import type { NodeInfo } from '../node';
import { Page } from '../parts/page';
import { Waiting } from '../parts/states';
import type { Route } from '../route';
import { type NavItem, Shell } from '../shell';
import { Due } from './due';
import { Find } from './find';
import { clientFor } from './glass';
import { LinkNote, OutboxContext, useOutbox, WaitingVisits } from './link';
import { MatchPage } from './match';
import { CareSummary } from './summary';
import { ChooseForm, RecordVisit } from './visit';

const Scan = lazy(() => import('./scan'));

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

function Current({ client, node, route }: RoomProps) {
  const [, page, what = '', form = ''] = route;
  if (page === 'record' && what)
    return <CareSummary key={what} {...clientFor(client, what)} node={node} patient={what} />;
  if (page === 'visit' && what) {
    const visit = { client: clientFor(client, what).client, patient: what };
    return form ? <RecordVisit key={what} {...visit} form={form} /> : <ChooseForm {...visit} />;
  }
  if (page === 'waiting') return <WaitingVisits />;
  if (page === 'due') return <Due client={client} />;
  if (page === 'match') return <MatchPage key={what} client={client} text={what} />;
  if (page === 'scan') return <Scan />;
  return <Find key={what} client={client} first={page === 'find' ? what : ''} />;
}

export default function CareRoom({ client, node, route }: RoomProps) {
  const { t } = useI18n();
  const nav: NavItem[] = [
    { to: '#/care', icon: 'search', label: t('way.find') },
    { to: '#/care/due', icon: 'syringe', label: t('way.due') },
    { to: '#/care/scan', icon: 'code', label: t('way.scan') },
    { to: '#/care/match', icon: 'globe', label: t('way.match') },
  ];
  const box = useOutbox(client);
  const passing = (
    <Page title={t('room.care')} isPassing>
      <Waiting />
    </Page>
  );
  return (
    <Shell node={node} nav={nav} room={t('room.care')} isSignedIn note={<LinkNote box={box} />}>
      <OutboxContext.Provider value={box ?? undefined}>
        <Suspense fallback={passing}>
          {box === undefined ? (
            passing
          ) : (
            <Current client={box?.client ?? client} node={node} route={route} />
          )}
        </Suspense>
      </OutboxContext.Provider>
    </Shell>
  );
}
