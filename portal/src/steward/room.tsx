// For those who look after a node: reviews of emergency access, corrections, the audit log,
// terminologies, why somebody sees what, whose records fall short, and the node's own state. Which of them a room has is its role's.
import type { Room } from '../auth/rooms';
import { Senders } from '../country/senders';
import type { Client } from '../fhir/client';
import { type Key, useI18n } from '../i18n';
import type { NodeInfo } from '../node';
import type { IconName } from '../parts/icon';
import type { Route } from '../route';
import { Shell } from '../shell';
import '../style/country.css';
import { AuditSearch } from './audit';
import { CorrectionQueue } from './corrections';
import { NodeState } from './node';
import { Reviews } from './reviews';
import { Terms } from './terms';
import { Why } from './why';

interface PageProps {
  client: Client;
  base: string;
  rest: Route; // of the address, behind the page's name
}

interface Way {
  name: string;
  icon: IconName;
  label: Key;
  page: (props: PageProps) => preact.JSX.Element;
}

const reviews: Way = { name: 'reviews', icon: 'shield', label: 'way.reviews', page: Reviews };
const corrections: Way = {
  name: 'corrections',
  icon: 'check',
  label: 'way.corrections',
  page: CorrectionQueue,
};
const audit: Way = { name: 'audit', icon: 'eye', label: 'way.audit', page: AuditSearch };
const terms: Way = { name: 'terms', icon: 'record', label: 'way.terms', page: Terms };
const why: Way = { name: 'why', icon: 'search', label: 'way.why', page: Why };
const senders: Way = { name: 'senders', icon: 'papers', label: 'way.senders', page: Senders };
const node: Way = { name: 'node', icon: 'chart', label: 'way.node', page: NodeState };

const ways: Partial<Record<Room, readonly [Way, ...Way[]]>> = {
  privacy: [reviews, audit, why],
  steward: [terms, corrections, why, senders],
  operate: [node, audit, terms],
};

const titles: Partial<Record<Room, Key>> = {
  privacy: 'room.privacy',
  steward: 'room.steward',
  operate: 'room.operate',
};

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

export default function StewardRoom({ client, node: info, route }: RoomProps) {
  const { t } = useI18n();
  const [, name, ...rest] = route;
  const { room } = client.session;
  const own = ways[room] ?? [terms];
  const base = `#/${room}`;
  const { page: Page } = own.find((way) => way.name === name) ?? own[0];
  const nav = own.map((way, i) => ({
    to: i ? `${base}/${way.name}` : base,
    icon: way.icon,
    label: t(way.label),
  }));
  return (
    <Shell
      node={info}
      {...(nav.length > 1 ? { nav } : {})}
      room={t(titles[room] ?? 'room.steward')}
      isSignedIn
    >
      <Page key={route.join('/')} client={client} base={base} rest={rest} />
    </Shell>
  );
}
