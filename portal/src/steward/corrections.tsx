// Corrections that people ask for and nobody has decided. The entry itself is corrected by whoever
// may write it, as any other (docs/decisions/0056); here is said that it was, or why it will not be.
import { useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import { conceptText, namesOf } from '../fhir/read';
import type { CodeableConcept, Patient, Resource, Task } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Page } from '../parts/page';
import { isSaid } from '../parts/said';
import { Empty, Loaded, ProblemNote } from '../parts/states';

const CODE = encodeURIComponent('urn:carnet:task|correction');
const DECISIONS = ['accepted', 'refused'] as const;
const NOTHING_CHANGED = 422;

interface Loads {
  tasks: Task[];
  people: ReadonlyMap<string, Patient>; // by reference
  more: boolean;
}

async function load(client: Client): Promise<Loads> {
  const path = `Task?code=${CODE}&status=requested&_sort=authored-on&_include=Task:patient`;
  const { list, more } = await client.all<Resource>(path);
  const isPerson = (one: Resource): one is Patient => one.resourceType === 'Patient';
  return {
    tasks: list.filter((one): one is Task => one.resourceType === 'Task'),
    people: new Map(list.filter(isPerson).map((one) => [`Patient/${one.id}`, one])),
    more,
  };
}

// The version that the person saw; looked at when it is wanted, since each look is written down.
function About({ client, task }: { client: Client; task: Task }) {
  const reference = task.focus?.reference ?? '';
  const about = useLoad(
    () => client.get<Resource & { code?: CodeableConcept }>(reference),
    reference,
  );
  return (
    <Loaded of={about}>
      {(one) => (
        <>
          <p>
            <bdi>{conceptText(one.code)}</bdi>
          </p>
          <pre class="stored" dir="ltr">
            {JSON.stringify(one, null, 1)}
          </pre>
        </>
      )}
    </Loaded>
  );
}

function Facts({ client, task, person }: { client: Client; task: Task; person?: Patient }) {
  const { t, date, dateTime } = useI18n();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <dl class="facts">
        <dt>{t('review.who')}</dt>
        <dd>
          <bdi>{namesOf(person?.name).name || task.for?.reference}</bdi>
          {person?.birthDate && ` · ${t('person.born', { day: date(person.birthDate) })}`}
        </dd>
        <dt>{t('review.when')}</dt>
        <dd>{dateTime(task.authoredOn)}</dd>
        <dt>{t('correct.what')}</dt>
        <dd>
          <bdi>{task.description}</bdi>
        </dd>
        <dt>{t('correct.why')}</dt>
        <dd>
          <bdi>{task.reasonCode?.text}</bdi>
        </dd>
      </dl>
      <details onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>
          {t('decide.about')} <bdi>{task.focus?.reference?.split('/_history/')[0]}</bdi>
        </summary>
        {isOpen && <About client={client} task={task} />}
      </details>
    </>
  );
}

interface RequestProps {
  client: Client;
  task: Task;
  person: Patient | undefined;
  done: () => void;
}

function Request({ client, task, person, done }: RequestProps) {
  const { t } = useI18n();
  const [isBusy, setBusy] = useState(false);
  const [isUnsaid, setUnsaid] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const reasonId = `reason-${task.id}`;

  async function decide(form: FormData) {
    const reason = String(form.get('reason') ?? '').trim();
    setProblem(undefined);
    setUnsaid(!isSaid(reason));
    if (!isSaid(reason)) {
      document.getElementById(reasonId)?.focus();
      return;
    }
    setBusy(true);
    try {
      await client.operation<Task>(`${task.for?.reference}/$decide-correction`, [
        { name: 'request', valueReference: { reference: `Task/${task.id}` } },
        { name: 'decision', valueCode: String(form.get('decision')) },
        { name: 'reason', valueString: reason },
      ]);
      done();
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  return (
    <li class="card">
      <Facts client={client} task={task} {...(person ? { person } : {})} />
      <form
        class="visit-form"
        onSubmit={(e) => {
          e.preventDefault();
          decide(new FormData(e.currentTarget));
        }}
      >
        <fieldset>
          <legend>{t('decide.question')}</legend>
          {DECISIONS.map((decision) => (
            <label key={decision} class="choice">
              <input type="radio" name="decision" value={decision} required />
              {t(`decide.${decision}`)}
            </label>
          ))}
        </fieldset>
        <label for={reasonId}>{t('decide.reason')}</label>
        <textarea id={reasonId} name="reason" rows={2} aria-invalid={isUnsaid} />
        {isUnsaid && (
          <p class="field-problem" role="alert">
            {t('said.length')}
          </p>
        )}
        {problem?.status === NOTHING_CHANGED && (
          <p class="field-problem" role="alert">
            {t('decide.unchanged')}
          </p>
        )}
        {problem && problem.status !== NOTHING_CHANGED && <ProblemNote problem={problem} />}
        <button type="submit" class="button" disabled={isBusy}>
          {t('decide.send')}
        </button>
      </form>
    </li>
  );
}

function Queue({ client, loads }: { client: Client; loads: Loads }) {
  const { t } = useI18n();
  const [left, setLeft] = useState<readonly Task[]>(loads.tasks);
  return (
    <>
      <p role="status" class="verdict">
        {left.length < loads.tasks.length && t('decide.done')}
      </p>
      {loads.more && <p class="notice">{t('review.more')}</p>}
      {left.length === 0 && <Empty>{t('decide.none')}</Empty>}
      <ul>
        {left.map((task) => (
          <Request
            key={task.id}
            client={client}
            task={task}
            person={loads.people.get(task.for?.reference ?? '')}
            done={() => setLeft((all) => all.filter(({ id }) => id !== task.id))}
          />
        ))}
      </ul>
    </>
  );
}

export function CorrectionQueue({ client }: { client: Client }) {
  const { t } = useI18n();
  const open = useLoad(() => load(client), '');
  return (
    <Page title={t('decide.title')} lead={t('decide.lead')}>
      <Loaded of={open}>{(loads) => <Queue client={client} loads={loads} />}</Loaded>
    </Page>
  );
}
