// The corrections that the person asked for, the latest first, each with its state and decision.
import type { Client } from '../fhir/client';
import type { Bundle, Resource, Task } from '../fhir/types';
import { useI18n } from '../i18n';
import { useLoad } from '../load';
import { Icon, type IconName } from '../parts/icon';
import { Empty, Loaded } from '../parts/states';
import { useHealth } from './context';
import { entryName } from './entry';

const isTask = (one: Resource): one is Task => one.resourceType === 'Task';

async function load(client: Client, patient: string): Promise<Task[]> {
  const bundle = await client.get<Bundle>(`Patient/${patient}/$corrections`);
  return (bundle.entry ?? []).flatMap(({ resource }) => resource ?? []).filter(isTask);
}

const states = {
  requested: { mark: 'coming', icon: 'clock', text: 'corrections.waiting' },
  completed: { mark: 'given', icon: 'check', text: 'corrections.accepted' },
  rejected: { mark: 'due', icon: 'alert', text: 'corrections.refused' },
} as const satisfies Record<string, { mark: string; icon: IconName; text: string }>;

function Correction({ task }: { task: Task }) {
  const i18n = useI18n();
  const { t, date } = i18n;
  const { record } = useHealth();
  const about = task.focus?.reference?.split('/_history/')[0];
  const entry = record.all.find((one) => `${one.resourceType}/${one.id}` === about);
  const state = states[task.status as keyof typeof states] ?? states.requested;
  const who = record.nameOf(task.owner);
  return (
    <li class="correction">
      <h3>
        <bdi>{entry ? entryName(i18n, entry) : t('corrections.gone')}</bdi>
      </h3>
      <p>
        <span class={`mark mark-${state.mark}`}>
          <Icon name={state.icon} />
          {t(state.text)}
        </span>{' '}
        <span class="muted">{t('corrections.asked', { day: date(task.authoredOn) })}</span>
      </p>
      <dl class="facts">
        <dt>{t('corrections.said')}</dt>
        <dd>
          <bdi>{task.description}</bdi>
        </dd>
        <dt>{t('correct.why')}</dt>
        <dd>
          <bdi>{task.reasonCode?.text}</bdi>
        </dd>
        {task.statusReason && (
          <>
            <dt>{t('corrections.answer', { day: date(task.lastModified) })}</dt>
            <dd>
              <bdi>{task.statusReason.text}</bdi>
              {who && (
                <>
                  {' · '}
                  <bdi>{who}</bdi>
                </>
              )}
            </dd>
          </>
        )}
      </dl>
    </li>
  );
}

export function Corrections() {
  const { t } = useI18n();
  const { client, record } = useHealth();
  const patient = record.patient.id ?? '';
  const loaded = useLoad(() => load(client, patient), patient);
  return (
    <Loaded of={loaded}>
      {(list) =>
        list.length === 0 ? (
          <Empty>{t('corrections.none')}</Empty>
        ) : (
          <ul>
            {list.map((task) => (
              <Correction key={task.id} task={task} />
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
