// Care: the people whom a health worker looks after.
import type { Client } from '../fhir/client';
import { useI18n } from '../i18n';
import type { NodeInfo } from '../node';
import type { Route } from '../route';
import { Shell } from '../shell';
import { Find } from './find';
import { CareSummary } from './summary';
import { RecordVisit } from './visit';

interface RoomProps {
  client: Client;
  node: NodeInfo;
  route: Route;
}

export default function CareRoom({ client, node, route }: RoomProps) {
  const { t } = useI18n();
  const [, page, id] = route;
  return (
    <Shell node={node} room={t('room.care')} isSignedIn>
      {page === 'record' && id ? (
        <CareSummary key={id} client={client} node={node} patient={id} />
      ) : page === 'visit' && id ? (
        <RecordVisit key={id} client={client} patient={id} />
      ) : (
        <Find client={client} />
      )}
    </Shell>
  );
}
