// The fields of one question: native controls, each with a name, a unit, and what is wrong with it.
import { systems } from '../fhir/read';
import { type I18n, useI18n } from '../i18n';
import { extensionOf } from './model';
import type { Question, Value } from './types';
import { wordsOf } from './words';

export interface FieldProps {
  question: Question;
  id: string;
  describedBy: string | undefined;
  isWrong: boolean;
  values: readonly Value[];
  options: readonly Value[];
  change: (values: readonly Value[]) => void;
}

const RADIOS_MAX = 6; // more options are a list

function common({ id, describedBy, isWrong, question }: FieldProps) {
  return {
    id,
    'aria-describedby': describedBy,
    'aria-invalid': isWrong || undefined,
    'aria-required': question.required || undefined,
    disabled: question.readOnly ?? false,
    autocomplete: 'off',
  } as const;
}

export function unitOf(question: Question, values: readonly Value[]): string | undefined {
  const unit = extensionOf(question, 'questionnaire-unit')?.valueCoding;
  return unit?.display ?? unit?.code ?? values[0]?.valueQuantity?.unit;
}

function numbered(question: Question, number: number): Value {
  if (question.type === 'integer') return { valueInteger: number };
  if (question.type === 'decimal') return { valueDecimal: number };
  const unit = extensionOf(question, 'questionnaire-unit')?.valueCoding;
  return {
    valueQuantity: {
      value: number,
      ...(unit?.display ? { unit: unit.display } : {}),
      ...(unit?.system ? { system: unit.system } : {}),
      ...(unit?.code ? { code: unit.code } : {}),
    },
  };
}

function NumberField(props: FieldProps) {
  const { question, values, change } = props;
  const [first] = values;
  const shown = first?.valueDecimal ?? first?.valueInteger ?? first?.valueQuantity?.value;
  const places = extensionOf(question, 'maxDecimalPlaces')?.valueInteger;
  const isWhole = question.type === 'integer' || places === 0;
  return (
    <input
      {...common(props)}
      type="number"
      inputMode={isWhole ? 'numeric' : 'decimal'}
      step={isWhole ? 1 : places === undefined ? 'any' : 10 ** -places}
      value={shown === undefined || Number.isNaN(shown) ? '' : shown}
      onInput={({ currentTarget: { value, valueAsNumber, validity } }) => {
        if (value === '' && !validity.badInput) change([]);
        else change([numbered(question, valueAsNumber)]);
      }}
    />
  );
}

type TextName = 'valueString' | 'valueUri' | 'valueDate' | 'valueDateTime' | 'valueTime';

const plain: Readonly<Record<string, { name: TextName; type: string }>> = {
  string: { name: 'valueString', type: 'text' },
  url: { name: 'valueUri', type: 'url' },
  date: { name: 'valueDate', type: 'date' },
  dateTime: { name: 'valueDateTime', type: 'datetime-local' },
  time: { name: 'valueTime', type: 'time' },
};

// A date and time as its field has it (of here, without a zone), and as a record does.
function shownTime(text: string): string {
  const when = new Date(text);
  if (Number.isNaN(when.getTime())) return '';
  return new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function keptText(name: TextName, text: string): string {
  if (name === 'valueDateTime') return new Date(text).toISOString();
  return name === 'valueTime' && text.length === 5 ? `${text}:00` : text;
}

function PlainField(props: FieldProps) {
  const { question, values, change } = props;
  const { name, type } = plain[question.type] ?? { name: 'valueString', type: 'text' };
  const kept = values[0]?.[name] ?? '';
  return (
    <input
      {...common(props)}
      type={type}
      value={name === 'valueDateTime' ? shownTime(kept) : kept}
      onInput={({ currentTarget: { value } }) =>
        change(value === '' ? [] : [{ [name]: keptText(name, value) }])
      }
    />
  );
}

function TextField(props: FieldProps) {
  const { values, change } = props;
  return (
    <textarea
      {...common(props)}
      rows={3}
      value={values[0]?.valueString ?? ''}
      onInput={({ currentTarget: { value } }) =>
        change(value.trim() === '' ? [] : [{ valueString: value }])
      }
    />
  );
}

// What tells an option from the others, and what it is called.
function nameOf(value: Value): string {
  const { valueCoding: coding } = value;
  return coding ? `${coding.system ?? ''}|${coding.code ?? ''}` : String(Object.values(value)[0]);
}

// Vaccines have the names that these pages use for them everywhere.
function labelOf(value: Value, { language, find }: I18n): string {
  const { valueCoding: coding } = value;
  if (!coding) return String(Object.values(value)[0] ?? '');
  const vaccine = coding.system === systems.cvx ? find(`vaccine.${coding.code}`) : undefined;
  return vaccine ?? wordsOf(coding.display ?? coding.code, coding._display, language.tag);
}

// An option as an answer: without the translations of its display.
function answerOf(value: Value): Value {
  if (!value.valueCoding) return value;
  const { system, code, display } = value.valueCoding;
  return {
    valueCoding: {
      ...(system ? { system } : {}),
      ...(code ? { code } : {}),
      ...(display ? { display } : {}),
    },
  };
}

function ListField(props: FieldProps) {
  const i18n = useI18n();
  const { values, options, change } = props;
  return (
    <select
      {...common(props)}
      value={values[0] ? nameOf(values[0]) : ''}
      onChange={({ currentTarget: { value } }) =>
        change(options.filter((option) => nameOf(option) === value).map(answerOf))
      }
    >
      <option value="">{i18n.t('form.choose')}</option>
      {options.map((option) => (
        <option key={nameOf(option)} value={nameOf(option)}>
          {labelOf(option, i18n)}
        </option>
      ))}
    </select>
  );
}

const YES_NO: readonly Value[] = [{ valueBoolean: true }, { valueBoolean: false }];

function ChoiceField(props: FieldProps) {
  const i18n = useI18n();
  const { question, id, values, change } = props;
  const isBoolean = question.type === 'boolean';
  const options = isBoolean ? YES_NO : props.options;
  const chosen = new Set(values.map(nameOf));
  const isMany = question.repeats === true;
  const choose = (option: Value, isOn: boolean) => {
    if (!isMany) change(isOn ? [answerOf(option)] : []);
    else
      change(
        options.filter((one) => (one === option ? isOn : chosen.has(nameOf(one)))).map(answerOf),
      );
  };
  return (
    <div class="choices">
      {options.map((option, i) => (
        <label key={nameOf(option)} class="choice">
          <input
            id={i === 0 ? id : undefined}
            type={isMany ? 'checkbox' : 'radio'}
            name={id}
            checked={chosen.has(nameOf(option))}
            disabled={question.readOnly ?? false}
            aria-describedby={props.describedBy}
            onChange={({ currentTarget: { checked } }) => choose(option, checked)}
          />
          <span>
            {isBoolean
              ? i18n.t(option.valueBoolean ? 'form.yes' : 'form.no')
              : labelOf(option, i18n)}
          </span>
        </label>
      ))}
    </div>
  );
}

// With a choice of one's own beside those that are offered.
function OpenField(props: FieldProps) {
  const { t } = useI18n();
  const { id, values, options, change } = props;
  const own = values.find(({ valueString }) => valueString !== undefined);
  return (
    <>
      {options.length > 0 && (
        <ChoiceField {...props} values={values.filter((one) => one !== own)} />
      )}
      <label for={`${id}-own`}>{t('form.other')}</label>
      <input
        id={`${id}-own`}
        autocomplete="off"
        value={own?.valueString ?? ''}
        onInput={({ currentTarget: { value } }) => {
          const kept = props.question.repeats ? values.filter((one) => one !== own) : [];
          change(value.trim() === '' ? kept : [...kept, { valueString: value }]);
        }}
      />
    </>
  );
}

// Questions that are several controls, and so have a legend in place of a label.
export function isSet(question: Question, options: readonly Value[]): boolean {
  if (question.type === 'boolean' || question.type === 'open-choice') return true;
  return question.type === 'choice' && (question.repeats || options.length <= RADIOS_MAX);
}

const fields: Readonly<Record<string, (props: FieldProps) => preact.JSX.Element>> = {
  boolean: ChoiceField,
  decimal: NumberField,
  integer: NumberField,
  quantity: NumberField,
  string: PlainField,
  url: PlainField,
  date: PlainField,
  dateTime: PlainField,
  time: PlainField,
  text: TextField,
  'open-choice': OpenField,
};

export function Field(props: FieldProps) {
  const { t } = useI18n();
  const { question, options } = props;
  if (question.type === 'choice')
    return isSet(question, options) ? <ChoiceField {...props} /> : <ListField {...props} />;
  const One = fields[question.type];
  return One ? <One {...props} /> : <p class="muted">{t('form.elsewhere')}</p>;
}
