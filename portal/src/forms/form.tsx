// A form on a page: groups, questions as they become asked, and what is wrong beside each.
import { useLayoutEffect, useState } from 'preact/hooks';
import { type I18n, useI18n } from '../i18n';
import { Icon } from '../parts/icon';
import { isAsked } from './asked';
import { Field, isSet, unitOf } from './fields';
import {
  answer,
  type Entry,
  extensionOf,
  type FaultAt,
  faults,
  isHidden,
  type Levels,
  remove,
  repeat,
  settle,
} from './model';
import { type Options, optionsOf } from './options';
import type { Question, Value } from './types';
import { wordsOf } from './words';

const LINE = 60; // characters

interface Shared {
  options: Options;
  wrong: ReadonlyMap<string, FaultAt>;
  change: (key: string, values: readonly Value[]) => void;
  repeat: (key: string) => void;
  remove: (key: string) => void;
}

function faultText({ t, number, date }: I18n, { fault, bound }: FaultAt): string {
  const shown = typeof bound === 'number' ? number(bound) : date(bound);
  const words = {
    required: t('form.required'),
    number: t('form.number'),
    least: t('form.least', { bound: shown }),
    most: t('form.most', { bound: shown }),
    long: t('form.long', { bound: shown }),
  };
  return words[fault];
}

// Words want the whole line, where numbers stand beside one another.
function isWide({ type, maxLength }: Question): boolean {
  return type === 'text' || (type === 'string' && (maxLength ?? 0) > LINE);
}

interface OneProps extends Shared {
  entry: Entry;
  levels: Levels;
}

function Asked({ entry, levels, ...shared }: OneProps) {
  const i18n = useI18n();
  const { question, key, values, below } = entry;
  const options = optionsOf(question, shared.options);
  const fault = shared.wrong.get(key);
  const unit = unitOf(question, values);
  const text = wordsOf(question.text, question._text, i18n.language.tag);
  const name = (
    <>
      {text}
      {unit && (
        <>
          {' '}
          <span class="muted">({unit})</span>
        </>
      )}
      {question.required && <span class="muted"> {i18n.t('form.must')}</span>}
    </>
  );
  const field = (
    <>
      <Field
        question={question}
        id={key}
        values={values}
        options={options}
        isWrong={fault !== undefined}
        describedBy={fault ? `${key}-wrong` : undefined}
        change={(next) => shared.change(key, next)}
      />
      {fault && (
        <p id={`${key}-wrong`} class="field-problem">
          {faultText(i18n, fault)}
        </p>
      )}
    </>
  );
  return (
    <div class={isWide(question) ? 'question wide' : 'question'} data-question={question.linkId}>
      {isSet(question, options) ? (
        <fieldset aria-describedby={fault ? `${key}-wrong` : undefined}>
          <legend>{name}</legend>
          {field}
        </fieldset>
      ) : (
        <>
          <label for={key}>{name}</label>
          {field}
        </>
      )}
      {values.length > 0 && below.length > 0 && (
        <Entries entries={below} levels={levels} {...shared} />
      )}
    </div>
  );
}

function Group({ entry, levels, nth, of, ...shared }: OneProps & { nth: number; of: number }) {
  const { t, number, language } = useI18n();
  const { question, key } = entry;
  const text = wordsOf(question.text, question._text, language.tag);
  const most = extensionOf(question, 'questionnaire-maxOccurs')?.valueInteger;
  return (
    <fieldset class="question-group" data-question={question.linkId}>
      {text && <legend>{of > 1 ? `${text} ${number(nth)}` : text}</legend>}
      <div class="questions">
        <Entries entries={entry.below} levels={levels} {...shared} />
      </div>
      {question.repeats && (
        <p class="buttons">
          {nth === of && !(most !== undefined && of >= most) && (
            <button type="button" class="button plain" onClick={() => shared.repeat(key)}>
              <Icon name="add" />
              {t('form.more', { what: text })}
            </button>
          )}
          {of > 1 && (
            <button type="button" class="button plain" onClick={() => shared.remove(key)}>
              {t('form.less', { what: `${text} ${number(nth)}` })}
            </button>
          )}
        </p>
      )}
    </fieldset>
  );
}

interface EntriesProps extends Shared {
  entries: readonly Entry[];
  levels: Levels;
}

function Entries({ entries, levels: around, ...shared }: EntriesProps) {
  const { language } = useI18n();
  const levels = [...around, entries];
  return (
    <>
      {entries.map((entry) => {
        const { question, key } = entry;
        if (isHidden(question) || !isAsked(entry, levels)) return null;
        if (question.type === 'display')
          return (
            <p key={key} class="notice said" role="status">
              {wordsOf(question.text, question._text, language.tag)}
            </p>
          );
        if (question.type !== 'group')
          return <Asked key={key} entry={entry} levels={levels} {...shared} />;
        const alike = entries.filter((one) => one.question === question);
        const nth = alike.indexOf(entry) + 1;
        return (
          <Group key={key} entry={entry} levels={levels} nth={nth} of={alike.length} {...shared} />
        );
      })}
    </>
  );
}

interface FormProps {
  first: readonly Entry[];
  options: Options;
  isBusy: boolean;
  save: (entries: readonly Entry[]) => void;
  changed?: (entries: readonly Entry[]) => void;
  label: string; // of the button
}

export function FormFields({ first, options, isBusy, save, changed, label }: FormProps) {
  const [entries, setEntries] = useState(first);
  const [told, setTold] = useState<readonly FaultAt[]>([]);
  const [wrong, setWrong] = useState<FaultAt | undefined>(); // to be gone to
  const set = (next: readonly Entry[]) => {
    setEntries(next);
    changed?.(next);
    // What was wrong is judged anew; what is new is not told before it is sent.
    const now = new Map(faults(next).map((one) => [one.key, one]));
    setTold((before) => before.flatMap(({ key }) => now.get(key) ?? []));
  };
  // The first field that is wrong takes the focus as it says so.
  useLayoutEffect(() => {
    if (wrong) document.getElementById(wrong.key)?.focus();
  }, [wrong]);
  return (
    <form
      class="card visit-form"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        const found = faults(entries);
        setTold(found);
        setWrong(found[0]);
        if (found.length === 0) save(entries);
      }}
    >
      <div class="questions">
        <Entries
          entries={settle(entries)}
          levels={[]}
          options={options}
          wrong={new Map(told.map((one) => [one.key, one]))}
          change={(key, values) => set(answer(entries, key, values))}
          repeat={(key) => set(repeat(entries, key))}
          remove={(key) => set(remove(entries, key))}
        />
      </div>
      <button type="submit" class="button" disabled={isBusy}>
        {label}
      </button>
    </form>
  );
}
