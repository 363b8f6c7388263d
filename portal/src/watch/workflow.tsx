// The work on a signal: its clocks, what was found, and the steps that can be taken now.
import { useState } from 'preact/hooks';
import type { Client, Problem } from '../fhir/client';
import { useI18n } from '../i18n';
import { asProblem, useLoad } from '../load';
import { Icon } from '../parts/icon';
import { Loaded, ProblemNote } from '../parts/states';
import {
  answersOf,
  type Clock,
  type Field,
  loadStanding,
  STEPS,
  type Standing,
  takeStep,
} from './work';

function ClockRow({ of }: { of: Clock }) {
  const { t, find, dateTime, ago } = useI18n();
  const when = of.done ?? of.due;
  const mark = of.late ? 'late' : of.done ? 'given' : of.due ? 'due' : 'coming';
  const text = !when
    ? t('clock.waiting')
    : of.done
      ? t(of.late ? 'clock.done-late' : 'clock.done', { when: dateTime(of.done) })
      : t('clock.due', { when: ago(when) });
  return (
    <li>
      <span>{find(`clock.${of.clock}`) ?? of.clock}</span>
      <span class="end">
        <span class={`mark mark-${mark}`}>
          <Icon name={of.late ? 'alert' : of.done ? 'check' : 'clock'} />
          {text}
        </span>
      </span>
    </li>
  );
}

function Answer({ step, field }: { step: string; field: Field }) {
  const { t, find } = useI18n();
  const id = `${step}-${field.name}`;
  const label = find(`ask.${field.name}`) ?? field.name;
  if (field.kind === 'yes')
    return (
      <label class="choice">
        <input
          id={id}
          type="checkbox"
          name={field.name}
          defaultChecked={field.name === 'applies'}
        />
        {label}
      </label>
    );
  if (field.kind === 'choice')
    return (
      <>
        <label for={id}>{label}</label>
        <select id={id} name={field.name} required>
          <option value="">{t('ask.choose')}</option>
          {field.of.map((value) => (
            <option key={value} value={value}>
              {find(`${field.name === 'confidence' ? 'sure' : field.name}.${value}`) ?? value}
            </option>
          ))}
        </select>
      </>
    );
  return (
    <>
      <label for={id}>{label}</label>
      {field.kind === 'day' ? (
        <input id={id} name={field.name} type="date" />
      ) : (
        <input
          id={id}
          name={field.name}
          required={field.isNeeded ?? false}
          maxLength={1000}
          autocomplete="off"
        />
      )}
    </>
  );
}

interface StepProps {
  client: Client;
  signal: string;
  step: string;
  tag: string;
  isFirst: boolean;
  done: () => void;
}

function Step({ client, signal, step, tag, isFirst, done }: StepProps) {
  const { find } = useI18n();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | undefined>();

  async function take(form: FormData) {
    setBusy(true);
    setProblem(undefined);
    try {
      await takeStep(client, signal, step, answersOf(step, form), tag);
      done();
    } catch (e) {
      setProblem(asProblem(e));
      setBusy(false);
    }
  }

  const name = find(`step.${step}`) ?? step;
  return (
    <details open={isFirst}>
      <summary>{name}</summary>
      <form
        class="visit-form"
        onSubmit={(e) => {
          e.preventDefault();
          take(new FormData(e.currentTarget));
        }}
      >
        {(STEPS[step] ?? []).map((field) => (
          <Answer key={field.name} step={step} field={field} />
        ))}
        {problem && <ProblemNote problem={problem} again={done} />}
        <button type="submit" class={isFirst ? 'button' : 'button plain'} disabled={isBusy}>
          {name}
        </button>
      </form>
    </details>
  );
}

function Found({ of }: { of: Standing }) {
  const { t, find } = useI18n();
  const facts = [
    [t('ask.risk'), of.risk && (find(`risk.${of.risk}`) ?? of.risk)],
    [
      t('work.notifiable'),
      of.notifiable === null ? null : t(of.notifiable ? 'word.yes' : 'word.no'),
    ],
  ] as const;
  const actions = of.actions.filter(({ done, applies }) => done || !applies);
  return (
    <>
      <dl class="facts in-columns">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {actions.length > 0 && (
        <ul class="plain-list">
          {actions.map(({ action, applies }) => (
            <li key={action}>
              <Icon name="check" /> {find(`action.${action}`) ?? action}
              {!applies && ` (${t('work.not-needed')})`}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function Workflow({ client, signal }: { client: Client; signal: string }) {
  const { t, find } = useI18n();
  const seen = useLoad(() => loadStanding(client, signal), signal);
  return (
    <section class="card">
      <h2>{t('work.title')}</h2>
      <Loaded of={seen}>
        {({ standing, tag }) => {
          const steps = standing.steps.filter((step) => step in STEPS);
          return (
            <>
              <p role="status">
                <strong>{find(`signal.state.${standing.state}`) ?? standing.state}</strong>
                {standing.withdrawn && ` · ${t('work.withdrawn')}`}
              </p>
              <ul class="rows">
                {standing.clocks.map((clock) => (
                  <ClockRow key={clock.clock} of={clock} />
                ))}
              </ul>
              <Found of={standing} />
              {steps.map((step, i) => (
                <Step
                  key={`${step} ${tag}`}
                  client={client}
                  signal={signal}
                  step={step}
                  tag={tag}
                  isFirst={i === 0}
                  done={seen.again}
                />
              ))}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}
