// Recording a visit: by which form, and the form itself, filled with what is known already.
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { type Client, Problem } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Patient } from '../fhir/types';
import { FormFields } from '../forms/form';
import { begin, canonicalOf, type Entry, responseItems } from '../forms/model';
import { loadOptions, type Options } from '../forms/options';
import type { Form, ResponseItem } from '../forms/types';
import { wordsOf } from '../forms/words';
import { loadRecord } from '../health/record';
import { useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Loaded, ProblemNote } from '../parts/states';
import { go } from '../route';
import { fillForm, loadForm, loadForms, OWN, workplace } from './forms-of';
import { OutboxContext } from './link';
import type { Outbox } from './outbox';
import { sendVisit } from './send';
import type { Visit } from './visit-bundle';

const DRAFT_MS = 400;

function titleOf(form: Form, tag: string): string {
  return wordsOf(form.title ?? form.name, form._title, tag);
}

// ---- which form ----

interface ChooseProps {
  client: Client;
  patient: string;
}

export function ChooseForm({ client, patient }: ChooseProps) {
  const { t, language } = useI18n();
  const loaded = useLoad(() => loadForms(client), '');
  return (
    <Page title={t('visit.title')} back={`#/care/record/${patient}`} lead={t('visit.which')}>
      <Loaded of={loaded}>
        {(forms) => (
          <ul class="people forms">
            {[...forms, OWN].map((form) => (
              <li key={form.id}>
                <a href={`#/care/visit/${patient}/${form.id}`}>
                  <Icon name="record" />
                  <strong>{titleOf(form, language.tag)}</strong>
                </a>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Page>
  );
}

// ---- the form ----

// What is kept while somebody types: with the ids that the visit will have, so that it stays one
// visit whenever it is sent.
interface Draft {
  response: string;
  encounter: string;
  start: string;
  items: ResponseItem[];
}

interface Opened {
  form: Form;
  patient: Patient;
  options: Options;
  entries: readonly Entry[];
  organization: string | undefined;
  draft: Draft;
  begun: number | undefined; // when the draft was kept, ms
}

// The person, out of their record where only that was read before the connection was lost.
async function personOf(client: Client, patient: string): Promise<Patient> {
  try {
    return await client.get<Patient>(`Patient/${patient}`);
  } catch (e) {
    if (!(e instanceof Problem) || e.kind !== 'offline') throw e;
    return (await loadRecord(client, patient)).patient;
  }
}

function draftName(patient: string, form: string): string {
  return `${patient}/${form}`;
}

async function open(
  client: Client,
  box: Outbox | undefined,
  patient: string,
  id: string,
): Promise<Opened> {
  const [person, organization, form, kept] = await Promise.all([
    personOf(client, patient),
    workplace(client),
    loadForm(client, id),
    box?.draft<Draft>(draftName(patient, id)),
  ]);
  const [filled, options] = await Promise.all([
    kept ? undefined : fillForm(client, form, patient),
    loadOptions(client, form),
  ]);
  const draft = kept?.value ?? {
    response: crypto.randomUUID(),
    encounter: crypto.randomUUID(),
    start: new Date().toISOString(),
    items: filled?.item ?? [],
  };
  const entries = begin(form.item ?? [], draft.items);
  return { form, patient: person, options, organization, entries, draft, begun: kept?.at };
}

// An emergency's token is for one record and a while: what is typed and sent by it is not kept.
function useBoxOf(client: Client): Outbox | undefined {
  const box = useContext(OutboxContext);
  return client.session.token === box?.client.session.token ? box : undefined;
}

// Keeps what is typed, a moment after the last letter.
function useDraft(box: Outbox | undefined, name: string, draft: Draft) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    keep: (entries: readonly Entry[]) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        box?.keepDraft(name, { ...draft, items: responseItems(entries) });
      }, DRAFT_MS);
    },
    drop: async () => {
      clearTimeout(timer.current);
      await box?.dropDraft(name);
    },
  };
}

interface FilledProps {
  client: Client;
  opened: Opened;
  again: () => void;
}

function FilledForm({ client, opened, again }: FilledProps) {
  const { t, dateTime } = useI18n();
  const box = useBoxOf(client);
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const { form, patient, options, entries, organization, draft, begun } = opened;
  const person = patient.id ?? '';
  const drafts = useDraft(box, draftName(person, form.id ?? ''), draft);

  async function send(visit: Visit) {
    if (box) await box.send(visit, form, namesOf(patient.name).name);
    else await sendVisit(client, visit, form === OWN ? form : undefined);
  }

  async function save(filled: readonly Entry[]) {
    setBusy(true);
    setProblem(undefined);
    try {
      const user = client.session.user;
      if (!user) throw new Problem('forbidden', 'no practitioner stands for this account');
      await send({
        response: draft.response,
        encounter: draft.encounter,
        start: draft.start,
        form: canonicalOf(form),
        patient: person,
        user,
        organization,
        end: new Date().toISOString(),
        items: responseItems(filled),
      });
      await drafts.drop();
      go(`/care/record/${person}`);
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  return (
    <>
      {begun !== undefined && (
        <p class="notice" role="status">
          {t('draft.kept', { when: dateTime(new Date(begun).toISOString()) })}{' '}
          <button type="button" class="link" onClick={() => drafts.drop().then(again)}>
            {t('draft.drop')}
          </button>
        </p>
      )}
      <FormFields
        first={entries}
        options={options}
        isBusy={isBusy}
        save={save}
        changed={drafts.keep}
        label={t('visit.save')}
      />
      {problem && <ProblemNote problem={problem} />}
    </>
  );
}

interface VisitProps {
  client: Client;
  patient: string;
  form: string; // id
}

export function RecordVisit({ client, patient, form }: VisitProps) {
  const { t, language } = useI18n();
  const box = useBoxOf(client);
  const opened = useLoad(() => open(client, box, patient, form), `${patient} ${form}`);
  const isThere = opened.state === 'ready';
  const name = isThere ? namesOf(opened.value.patient.name).name : '';
  const title = isThere ? titleOf(opened.value.form, language.tag) : t('visit.title');
  return (
    <Page title={title} back={`#/care/visit/${patient}`} lead={<bdi>{name}</bdi>}>
      <Loaded of={opened}>
        {(value) => <FilledForm client={client} opened={value} again={opened.again} />}
      </Loaded>
    </Page>
  );
}
