// Recording a visit: what was measured, and what the person has.
import { useState } from 'preact/hooks';
import { type Client, Problem } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Bundle, Patient, Resource } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Page } from '../parts/page';
import { Loaded, ProblemNote } from '../parts/states';
import { go } from '../route';
import { measures } from './measures';
import { IDS, visitBundle } from './visit-bundle';

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

interface FormProps {
  client: Client;
  patient: Patient;
}

function Form({ client, patient }: FormProps) {
  const i18n = useI18n();
  const { t } = i18n;
  // Made once for a form: whoever sends twice stores once.
  const [ids] = useState(() => Array.from({ length: IDS }, () => crypto.randomUUID()));
  const [start] = useState(() => new Date().toISOString());
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();

  async function save(form: FormData) {
    const values = new Map<string, number>();
    for (const measure of measures) {
      const text = String(form.get(measure.code) ?? '');
      if (text !== '') values.set(measure.code, Number(text));
    }
    setBusy(true);
    setProblem(undefined);
    try {
      const user = client.session.user;
      if (!user) throw new Problem('forbidden', 'no practitioner stands for this account');
      await client.transaction(
        visitBundle({
          ids,
          patient: patient.id ?? '',
          user,
          organization: await workplace(client),
          start,
          end: new Date().toISOString(),
          values,
          note: String(form.get('note') ?? '').trim(),
        }),
      );
      go(`/care/record/${patient.id}`);
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  return (
    <form
      class="card visit-form"
      onSubmit={(e) => {
        e.preventDefault();
        save(new FormData(e.currentTarget));
      }}
    >
      <fieldset>
        <legend>{t('visit.measured')}</legend>
        <div class="fields">
          {measures.map((measure) => (
            <div key={measure.code}>
              <label for={`m-${measure.code}`}>
                {i18n.find(`result.${measure.code}`) ?? measure.display}{' '}
                <span class="muted">({measure.unit})</span>
              </label>
              <input
                id={`m-${measure.code}`}
                name={measure.code}
                type="number"
                inputMode="decimal"
                min={measure.least}
                max={measure.most}
                step={measure.step}
              />
            </div>
          ))}
        </div>
      </fieldset>
      <label for="visit-note">{t('visit.note')}</label>
      <p id="visit-note-help" class="muted">
        {t('visit.note.help')}
      </p>
      <input id="visit-note" name="note" maxLength={200} aria-describedby="visit-note-help" />
      {problem && <ProblemNote problem={problem} />}
      <button type="submit" class="button" disabled={isBusy}>
        {t('visit.save')}
      </button>
    </form>
  );
}

export function RecordVisit({ client, patient }: { client: Client; patient: string }) {
  const { t } = useI18n();
  const person = useLoad(() => client.get<Patient>(`Patient/${patient}`), patient);
  const name = person.state === 'ready' ? namesOf(person.value.name).name : '';
  return (
    <Page title={t('visit.title')} back={`#/care/record/${patient}`} lead={<bdi>{name}</bdi>}>
      <Loaded of={person}>{(value) => <Form client={client} patient={value} />}</Loaded>
    </Page>
  );
}
