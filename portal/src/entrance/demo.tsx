// The demo country's people, each behind a single-use link. Whoever has the address of this page has
// its key, which the terminal printed.
import { roomFor } from '../auth/rooms';
import { forgetSession } from '../auth/session';
import { Problem } from '../fhir/client';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { type NodeInfo, root } from '../node';
import { Icon, type IconName } from '../parts/icon';
import { Page } from '../parts/page';
import { Loaded } from '../parts/states';
import { Shell } from '../shell';

interface Person {
  login: string;
  name: string;
  role: string;
  link: string;
}

async function loadPeople(key: string): Promise<Person[]> {
  const body = new URLSearchParams({ key });
  const reply = await fetch(new URL('auth/demo', root), { method: 'POST', body });
  if (!reply.ok) throw new Problem('ended', `demo: ${reply.status}`);
  return (await reply.json()).people;
}

const icons: Readonly<Record<string, IconName>> = {
  health: 'heart',
  family: 'person',
  care: 'add',
  watch: 'alert',
  steward: 'record',
  privacy: 'shield',
  country: 'globe',
  research: 'flask',
  operate: 'chart',
};

function People({ list }: { list: Person[] }) {
  const i18n = useI18n();
  return (
    <ul class="doors">
      {list.map((person) => {
        const room = roomFor(person.role);
        return (
          <li key={person.login}>
            <a href={person.link} onClick={forgetSession}>
              <Icon name={icons[room] ?? 'person'} />
              <span class="tile-title">
                <bdi>{person.name}</bdi>
              </span>
              <span class="tile-note">
                {i18n.find(`demo.${person.login}`) ?? i18n.find(`role.${person.role}`)}
              </span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

export function Demo({ node, secret }: { node: NodeInfo; secret: string }) {
  const { t } = useI18n();
  const people = useLoad(() => loadPeople(secret), secret);
  return (
    <Shell node={node}>
      <Page title={t('demo.title')} lead={t('demo.lead')}>
        <Loaded of={people}>{(list) => <People list={list} />}</Loaded>
        <p class="muted">{t('demo.help')}</p>
      </Page>
    </Shell>
  );
}
