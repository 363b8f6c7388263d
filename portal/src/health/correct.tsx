// Asking for a correction of one entry: what is wrong with it, what it should say, and how the
// person knows.
import { useState } from 'preact/hooks';
import { Problem } from '../fhir/client';
import type { Task } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem } from '../load';
import { Page } from '../parts/page';
import { isSaid } from '../parts/said';
import { ProblemNote } from '../parts/states';
import { go, useRoute } from '../route';
import { useHealth } from './context';
import { entryDay, entryName } from './entry';

const FIELDS = ['what', 'why'] as const;

type Field = (typeof FIELDS)[number];

export default function Correct() {
  const i18n = useI18n();
  const { t, date } = i18n;
  const { client, record, base } = useHealth();
  const [type, id] = useRoute().slice(-2);
  const about = record.all.find((one) => one.resourceType === type && one.id === id);
  const [isBusy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<readonly Field[]>([]);
  const [problem, setProblem] = useState<Problem | undefined>();

  async function ask(form: FormData) {
    const text = (field: Field) => String(form.get(field) ?? '').trim();
    const unsaid = FIELDS.filter((field) => !isSaid(text(field)));
    setWrong(unsaid);
    if (unsaid[0]) {
      document.getElementById(`correct-${unsaid[0]}`)?.focus();
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      await client.operation<Task>(`Patient/${record.patient.id}/$request-correction`, [
        { name: 'about', valueReference: { reference: `${type}/${id}` } },
        ...FIELDS.map((field) => ({ name: field, valueString: text(field) })),
      ]);
      go(`${base.slice(1)}/rights`);
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  if (!about)
    return (
      <Page title={t('correct.title')} back={`${base}/rights`}>
        <ProblemNote problem={new Problem('missing', `${type}/${id}`)} />
      </Page>
    );
  const day = date(entryDay(about));
  return (
    <Page
      title={t('correct.title')}
      back={`${base}/rights`}
      lead={
        <>
          <bdi class="name">{entryName(i18n, about)}</bdi> {day && <span>· {day}</span>}
        </>
      }
    >
      <p>{t('correct.lead')}</p>
      <form
        class="card visit-form"
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          ask(new FormData(e.currentTarget));
        }}
      >
        {FIELDS.map((field) => (
          <div key={field}>
            <label for={`correct-${field}`}>{t(`correct.${field}`)}</label>
            <p id={`correct-${field}-help`} class="muted">
              {t(`correct.${field}.help`)}
            </p>
            <textarea
              id={`correct-${field}`}
              name={field}
              rows={3}
              required
              aria-describedby={`correct-${field}-help`}
              aria-invalid={wrong.includes(field)}
            />
            {wrong.includes(field) && (
              <p class="field-problem" role="alert">
                {t('said.length')}
              </p>
            )}
          </div>
        ))}
        {problem?.kind === 'busy' && (
          <p class="field-problem" role="alert">
            {t('correct.many')}
          </p>
        )}
        {problem && problem.kind !== 'busy' && <ProblemNote problem={problem} />}
        <button type="submit" class="button" disabled={isBusy}>
          {t('correct.send')}
        </button>
      </form>
    </Page>
  );
}
