// The front door: what this is, and the way into each room.
import type { Room } from '../auth/rooms';
import { type Key, useI18n } from '../i18n';
import type { NodeInfo } from '../node';
import { Icon, type IconName } from '../parts/icon';
import { Page } from '../parts/page';
import { Shell } from '../shell';

export const rooms: readonly { room: Room; icon: IconName; title: Key; what: Key }[] = [
  { room: 'health', icon: 'heart', title: 'room.health', what: 'room.health.what' },
  { room: 'family', icon: 'person', title: 'room.family', what: 'room.family.what' },
  { room: 'care', icon: 'add', title: 'room.care', what: 'room.care.what' },
  { room: 'watch', icon: 'alert', title: 'room.watch', what: 'room.watch.what' },
  { room: 'country', icon: 'globe', title: 'room.country', what: 'room.country.what' },
  { room: 'privacy', icon: 'shield', title: 'room.privacy', what: 'room.privacy.what' },
  { room: 'steward', icon: 'record', title: 'room.steward', what: 'room.steward.what' },
  { room: 'operate', icon: 'chart', title: 'room.operate', what: 'room.operate.what' },
];

export function Welcome({ node }: { node: NodeInfo }) {
  const { t } = useI18n();
  return (
    <Shell node={node}>
      <Page title={t('welcome.title')} lead={t('welcome.lead')}>
        {node.open ? (
          <p class="notice">{t('welcome.open')}</p>
        ) : (
          <ul class="doors">
            {rooms.map(({ room, icon, title, what }) => (
              <li key={room}>
                <a href={`#/${room}`}>
                  <Icon name={icon} />
                  <span class="tile-title">{t(title)}</span>
                  <span class="tile-note">{t(what)}</span>
                </a>
              </li>
            ))}
          </ul>
        )}
        {node.demo && <p class="muted">{t('welcome.demo')}</p>}
        <p class="muted small">
          {t('welcome.version', { version: node.version })} · <a href="./fhir/metadata">FHIR R4</a>
        </p>
      </Page>
    </Shell>
  );
}
