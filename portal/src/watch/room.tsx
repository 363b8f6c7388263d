// Watch: signals of outbreaks, what is behind them, and the pages that an epidemiologist asks by.
import type { Client } from '../fhir/client';
import { useI18n } from '../i18n';
import type { NodeInfo } from '../node';
import type { Route } from '../route';
import { type NavItem, Shell } from '../shell';
import '../style/watch.css';
import { Board } from './board';
import { CasesPage } from './cases';
import { CurvePage } from './curve';
import { MapPage } from './map';
import { SignalPage } from './signal-page';

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

function Current({ client, route }: { client: Client; route: Route }) {
  const [, page, ...rest] = route;
  if (page === 'signal' && rest[0]) return <SignalPage client={client} id={rest[0]} />;
  if (page === 'curve') return <CurvePage client={client} rest={rest} />;
  if (page === 'map') return <MapPage client={client} rest={rest} />;
  if (page === 'cases') return <CasesPage client={client} rest={rest} />;
  return <Board client={client} />;
}

export default function WatchRoom({ client, node, route }: RoomProps) {
  const { t } = useI18n();
  const nav: NavItem[] = [
    { to: '#/watch', icon: 'alert', label: t('way.board') },
    { to: '#/watch/curve', icon: 'chart', label: t('way.curve') },
    { to: '#/watch/map', icon: 'globe', label: t('way.map') },
    { to: '#/watch/cases', icon: 'person', label: t('way.cases') },
  ];
  return (
    <Shell node={node} nav={nav} room={t('room.watch')} isSignedIn>
      <Current client={client} route={route} />
    </Shell>
  );
}
