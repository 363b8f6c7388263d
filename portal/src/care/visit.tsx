// Recording a visit: by which form, and the form itself, filled with what is known already.
import { useState } from 'preact/hooks';
import { type Client, Problem } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Bundle, Patient, Resource } from '../fhir/types';
import { FormFields } from '../forms/form';
import { begin, canonicalOf, type Entry, responseItems } from '../forms/model';
import { loadOptions, type Options } from '../forms/options';
import type { Form } from '../forms/types';
import { wordsOf } from '../forms/words';
import { useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { Loaded, ProblemNote } from '../parts/states';
import { go } from '../route';
import { fillForm, loadForm, loadForms, OWN } from './forms-of';
import { sendVisit } from './send';
import type { Visit } from './visit-bundle';

interface Role extends Resource {
  organization?: { reference?: string };
}

// Where the one who is signed in works, if that is known.
async function workplace(client: Client): Promise<string | undefined> {
  const user = client.session.user;
  if (!user?.startsWith('Practitioner/')) return undefined;
  const roles = await client.get<Bundle<Role>>(`PractitionerRole?practitioner=${user}&_count=1`);
  return roles.entry?.[0]?.resource?.organization?.reference;
}

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

interface Opened {
  form: Form;
  patient: Patient;
  options: Options;
  entries: readonly Entry[];
  organization: string | undefined;
}

async function open(client: Client, patient: string, id: string): Promise<Opened> {
  const person = client.get<Patient>(`Patient/${patient}`);
  const place = workplace(client);
  const form = await loadForm(client, id);
  const [filled, options] = await Promise.all([
    fillForm(client, form, patient),
    loadOptions(client, form),
  ]);
  return {
    form,
    patient: await person,
    options,
    organization: await place,
    entries: begin(form.item ?? [], filled?.item ?? []),
  };
}

function FilledForm({ client, opened }: { client: Client; opened: Opened }) {
  const { t } = useI18n();
  // Made once for a form: whoever sends twice stores once.
  const [ids] = useState(() => ({
    response: crypto.randomUUID(),
    encounter: crypto.randomUUID(),
  }));
  const [start] = useState(() => new Date().toISOString());
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const { form, patient, options, entries, organization } = opened;

  async function save(filled: readonly Entry[]) {
    setBusy(true);
    setProblem(undefined);
    try {
      const user = client.session.user;
      if (!user) throw new Problem('forbidden', 'no practitioner stands for this account');
      const visit: Visit = {
        ...ids,
        form: canonicalOf(form),
        patient: patient.id ?? '',
        user,
        organization,
        start,
        end: new Date().toISOString(),
        items: responseItems(filled),
      };
      await sendVisit(client, visit, form === OWN ? form : undefined);
      go(`/care/record/${patient.id}`);
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  return (
    <>
      <FormFields
        first={entries}
        options={options}
        isBusy={isBusy}
        save={save}
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
  const opened = useLoad(() => open(client, patient, form), `${patient} ${form}`);
  const isThere = opened.state === 'ready';
  const name = isThere ? namesOf(opened.value.patient.name).name : '';
  const title = isThere ? titleOf(opened.value.form, language.tag) : t('visit.title');
  return (
    <Page title={title} back={`#/care/visit/${patient}`} lead={<bdi>{name}</bdi>}>
      <Loaded of={opened}>{(value) => <FilledForm client={client} opened={value} />}</Loaded>
    </Page>
  );
}
