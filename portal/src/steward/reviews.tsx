// Emergency accesses that wait for somebody to say whether they were justified.
import { useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { HumanName, Named, Resource, Task } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Empty, Loaded, ProblemNote } from '../parts/states';

const OUTCOMES = ['justified', 'unjustified', 'unclear'] as const;
const CODE = encodeURIComponent('urn:carnet:task|break-glass');
const OPEN = 'requested,received,accepted,in-progress,on-hold';
const CLOSED_SHOWN = 20;

interface Loads {
  tasks: Task[];
  names: ReadonlyMap<string, string>; // by reference
  more: boolean;
}

async function load(client: Client, query: string): Promise<Loads> {
  const path = `Task?code=${CODE}&${query}&_include=Task:requester`;
  const { list, more } = await client.all<Resource>(path);
  const names = new Map(
    list.map((one) => [
      `${one.resourceType}/${one.id}`,
      namesOf((one as Named).name as HumanName[] | undefined).name,
    ]),
  );
  return { tasks: list.filter((one): one is Task => one.resourceType === 'Task'), names, more };
}

function closed(task: Task, outcome: string, note: string, now: string): Task {
  return {
    ...task,
    status: 'completed',
    output: [
      {
        type: { coding: [{ system: 'urn:carnet:task', code: 'outcome' }] },
        valueCode: outcome,
      },
    ],
    ...(note ? { note: [...(task.note ?? []), { text: note, time: now }] } : {}),
  };
}

function Facts({ task, name, base }: { task: Task; name: string; base: string }) {
  const { t, dateTime } = useI18n();
  const patient = task.for?.reference?.split('/').at(-1) ?? '';
  return (
    <dl class="facts">
      <dt>{t('review.who')}</dt>
      <dd>
        <bdi>{name || task.requester?.reference}</bdi>
      </dd>
      <dt>{t('review.why')}</dt>
      <dd>
        <bdi>{task.reasonCode?.text}</bdi>
      </dd>
      <dt>{t('review.when')}</dt>
      <dd>
        {t('review.period', {
          from: dateTime(task.executionPeriod?.start),
          to: dateTime(task.executionPeriod?.end),
        })}
      </dd>
      <dt>{t('review.record')}</dt>
      <dd>
        <a href={`${base}/audit/${patient}`}>{t('review.seen')}</a>
      </dd>
    </dl>
  );
}

interface ReviewProps {
  client: Client;
  base: string;
  task: Task;
  name: string;
  done: (task: Task) => void;
}

function Review({ client, base, task, name, done }: ReviewProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();

  async function close(form: FormData) {
    setBusy(true);
    setProblem(undefined);
    try {
      const note = String(form.get('note') ?? '').trim();
      const outcome = String(form.get('outcome'));
      done(await client.update(closed(task, outcome, note, new Date().toISOString())));
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  return (
    <li class="card">
      <Facts task={task} name={name} base={base} />
      <form
        class="visit-form"
        onSubmit={(e) => {
          e.preventDefault();
          close(new FormData(e.currentTarget));
        }}
      >
        <fieldset>
          <legend>{t('review.question')}</legend>
          {OUTCOMES.map((outcome) => (
            <label key={outcome} class="choice">
              <input type="radio" name="outcome" value={outcome} required />
              {t(`review.${outcome}`)}
            </label>
          ))}
        </fieldset>
        <label for={`note-${task.id}`}>{t('review.note')}</label>
        <input id={`note-${task.id}`} name="note" maxLength={500} autocomplete="off" />
        {problem && <ProblemNote problem={problem} />}
        <button type="submit" class="button" disabled={isBusy}>
          {t('review.close')}
        </button>
      </form>
    </li>
  );
}

function Open({ client, base, loads }: { client: Client; base: string; loads: Loads }) {
  const { t } = useI18n();
  const [left, setLeft] = useState<readonly Task[]>(loads.tasks);
  const hasClosed = left.length < loads.tasks.length;
  return (
    <>
      <p role="status" class="verdict">
        {hasClosed && t('review.closed')}
      </p>
      {loads.more && <p class="notice">{t('review.more')}</p>}
      {left.length === 0 && <Empty>{t('review.none')}</Empty>}
      <ul>
        {left.map((task) => (
          <Review
            key={task.id}
            client={client}
            base={base}
            task={task}
            name={loads.names.get(task.requester?.reference ?? '') ?? ''}
            done={(one) => setLeft((all) => all.filter(({ id }) => id !== one.id))}
          />
        ))}
      </ul>
    </>
  );
}

function Past({ client, base }: { client: Client; base: string }) {
  const i18n = useI18n();
  const query = `status=completed&_sort=-authored-on&_count=${CLOSED_SHOWN}`;
  const past = useLoad(async () => {
    const path = `Task?code=${CODE}&${query}`;
    const bundle = await client.get<{ entry?: { resource: Task }[] }>(path);
    return (bundle.entry ?? []).map(({ resource }) => resource);
  }, '');
  return (
    <Loaded of={past}>
      {(list) =>
        list.length === 0 ? (
          <Empty>{i18n.t('review.past.none')}</Empty>
        ) : (
          <ul>
            {list.map((task) => (
              <li key={task.id} class="card">
                <p>
                  <span class={`mark mark-${outcomeMark(task)}`}>
                    <Icon name={outcomeMark(task) === 'given' ? 'check' : 'alert'} />
                    {i18n.find(`review.${task.output?.[0]?.valueCode}`)}
                  </span>
                </p>
                <Facts task={task} name="" base={base} />
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

function outcomeMark(task: Task): 'given' | 'late' | 'due' {
  const outcome = task.output?.[0]?.valueCode;
  if (outcome === 'justified') return 'given';
  return outcome === 'unjustified' ? 'late' : 'due';
}

export function Reviews({ client, base }: { client: Client; base: string }) {
  const { t } = useI18n();
  const [isPast, setPast] = useState(false);
  const open = useLoad(() => load(client, `status=${OPEN}&_sort=authored-on`), '');
  return (
    <Page title={t('review.title')} lead={t('review.lead')}>
      <Loaded of={open}>{(loads) => <Open client={client} base={base} loads={loads} />}</Loaded>
      <details onToggle={(e) => setPast(e.currentTarget.open)}>
        <summary>{t('review.past')}</summary>
        {isPast && <Past client={client} base={base} />}
      </details>
    </Page>
  );
}
