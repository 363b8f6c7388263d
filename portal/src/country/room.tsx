// Country: for a ministry. Counts of people, never one of them.
import type { Client } from '../fhir/client';
import { useI18n } from '../i18n';
import type { NodeInfo } from '../node';
import type { Route } from '../route';
import { type NavItem, Shell } from '../shell';
import '../style/country.css';
import { Glance } from './glance';
import { Reach } from './reach';
import { Senders } from './senders';
import { UsePage } from './use';

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

function Current({ client, route }: { client: Client; route: Route }) {
  const [, page, first, second] = route;
  if (page === 'reach' && first) return <Reach client={client} indicator={first} place={second} />;
  if (page === 'use') return <UsePage client={client} place={first} />;
  if (page === 'senders') return <Senders client={client} />;
  return <Glance client={client} place={page === 'at' ? first : undefined} />;
}

export default function CountryRoom({ client, node, route }: RoomProps) {
  const { t } = useI18n();
  const nav: NavItem[] = [
    { to: '#/country', icon: 'globe', label: t('way.glance') },
    { to: '#/country/use', icon: 'chart', label: t('way.use') },
    { to: '#/country/senders', icon: 'check', label: t('way.senders') },
  ];
  return (
    <Shell node={node} nav={nav} room={t('room.country')} isSignedIn>
      <Current client={client} route={route} />
    </Shell>
  );
}
