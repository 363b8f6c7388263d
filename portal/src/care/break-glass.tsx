// Asking for a record in an emergency: why, and for how long.
import { useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import { namesOf } from '../fhir/read';
import type { Patient } from '../fhir/types';
import { useI18n } from '../i18n';
import { asProblem } from '../load';
import { Icon } from '../parts/icon';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/states';
import { go } from '../route';
import { breakGlass, REASON_MAX, REASON_MIN, sizeOf } from './glass';

const minutes = [15, 30, 60];

interface BreakGlassProps {
  client: Client;
  person: Patient;
  leave: () => void;
}

export function BreakGlass({ client, person, leave }: BreakGlassProps) {
  const { t, date, number } = useI18n();
  const [isBusy, setBusy] = useState(false);
  const [isShort, setShort] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();
  const { name, other } = namesOf(person.name);

  async function ask(form: FormData) {
    const reason = String(form.get('reason') ?? '');
    const size = sizeOf(reason);
    setShort(size < REASON_MIN || size > REASON_MAX);
    if (size < REASON_MIN || size > REASON_MAX) {
      document.getElementById('glass-reason')?.focus();
      return;
    }
    setBusy(true);
    setProblem(undefined);
    try {
      await breakGlass(client, person.id ?? '', reason, Number(form.get('minutes')));
      go(`/care/record/${person.id}`);
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  return (
    <Page
      title={t('glass.title')}
      lead={
        <>
          <bdi class="name">{name}</bdi> {other && <bdi>({other})</bdi>}{' '}
          {t('person.born', { day: date(person.birthDate) })}
        </>
      }
    >
      <p class="notice">{t('glass.warning')}</p>
      <form
        class="card visit-form"
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          ask(new FormData(e.currentTarget));
        }}
      >
        <label for="glass-reason">{t('glass.reason')}</label>
        <p id="glass-help" class="muted">
          {t('glass.reason.help')}
        </p>
        <textarea
          id="glass-reason"
          name="reason"
          rows={3}
          required
          aria-describedby={isShort ? 'glass-short glass-help' : 'glass-help'}
          aria-invalid={isShort}
        />
        {isShort && (
          <p id="glass-short" class="field-problem" role="alert">
            {t('glass.reason.short')}
          </p>
        )}
        <label for="glass-minutes">{t('glass.minutes')}</label>
        <select id="glass-minutes" name="minutes">
          {minutes.map((n) => (
            <option key={n} value={n}>
              {t('glass.for', { n: number(n) })}
            </option>
          ))}
        </select>
        {problem && <ProblemNote problem={problem} />}
        <p class="buttons">
          <button type="submit" class="button" disabled={isBusy}>
            <Icon name="alert" />
            {t('glass.open')}
          </button>
          <button type="button" class="button plain" onClick={leave}>
            {t('glass.leave')}
          </button>
        </p>
      </form>
    </Page>
  );
}
