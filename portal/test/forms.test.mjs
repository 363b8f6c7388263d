import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const model = await load('forms/model.ts');
const { wordsOf } = await load('forms/words.ts');

const sex = { system: 's', code: 'f' };
const form = [
  { linkId: 'sex', type: 'choice', required: true },
  {
    linkId: 'pregnant',
    type: 'boolean',
    enableWhen: [{ question: 'sex', operator: '=', answerCoding: sex }],
  },
  {
    linkId: 'refer',
    type: 'display',
    enableWhen: [{ question: 'pregnant', operator: '=', answerBoolean: true }],
  },
  {
    linkId: 'month',
    type: 'integer',
    required: true,
    enableWhen: [{ question: 'pregnant', operator: '=', answerBoolean: true }],
    extension: [
      { url: 'http://hl7.org/fhir/StructureDefinition/minValue', valueInteger: 1 },
      { url: 'http://hl7.org/fhir/StructureDefinition/maxValue', valueInteger: 9 },
    ],
  },
  {
    linkId: 'dose',
    type: 'group',
    repeats: true,
    item: [
      { linkId: 'vaccine', type: 'string', required: true, maxLength: 5 },
      {
        linkId: 'lot',
        type: 'string',
        enableWhen: [{ question: 'vaccine', operator: 'exists', answerBoolean: true }],
      },
    ],
  },
];

const find = (list, linkId) => {
  for (const entry of list) {
    const found = entry.question.linkId === linkId ? entry : find(entry.below, linkId);
    if (found) return found;
  }
  return undefined;
};
const answer = (list, linkId, ...values) => model.answer(list, find(list, linkId).key, values);
const kinds = (list) => model.faults(list).map(({ fault }) => fault);

test('a form begins with what a response has, and each group at least once', () => {
  const entries = model.begin(form, [
    { linkId: 'dose', item: [{ linkId: 'vaccine', answer: [{ valueString: 'a' }] }] },
    { linkId: 'dose', item: [{ linkId: 'vaccine', answer: [{ valueString: 'b' }] }] },
  ]);
  assert.deepEqual(
    entries.map(({ question }) => question.linkId),
    ['sex', 'pregnant', 'refer', 'month', 'dose', 'dose'],
  );
  assert.equal(new Set(entries.map(({ key }) => key)).size, 6);
  assert.deepEqual(model.responseItems(entries), [
    { linkId: 'dose', item: [{ linkId: 'vaccine', answer: [{ valueString: 'a' }] }] },
    { linkId: 'dose', item: [{ linkId: 'vaccine', answer: [{ valueString: 'b' }] }] },
  ]);
});

test('what is not asked any more is neither said nor looked at', () => {
  let entries = model.begin(form, []);
  entries = answer(entries, 'sex', { valueCoding: { ...sex, display: 'female' } });
  entries = answer(entries, 'pregnant', { valueBoolean: true });
  entries = answer(entries, 'month', { valueInteger: 3 });
  assert.equal(model.responseItems(entries).length, 3);
  entries = answer(entries, 'sex', { valueCoding: { system: 's', code: 'm' } });
  assert.deepEqual(
    model.responseItems(entries).map(({ linkId }) => linkId),
    ['sex'],
  );
  entries = answer(entries, 'sex', { valueCoding: sex });
  assert.equal(model.responseItems(entries).length, 3, 'what was typed is there again');
});

test('what is wrong, in the order of the page', () => {
  let entries = model.begin(form, []);
  assert.deepEqual(kinds(entries), ['required'], 'a group that is left out is not asked for');
  entries = answer(entries, 'sex', { valueCoding: sex });
  entries = answer(entries, 'pregnant', { valueBoolean: true });
  assert.deepEqual(kinds(entries), ['required']);
  entries = answer(entries, 'month', { valueInteger: 0 });
  assert.deepEqual(model.faults(entries), [
    { key: find(entries, 'month').key, fault: 'least', bound: 1 },
  ]);
  entries = answer(entries, 'month', { valueInteger: 10 });
  assert.deepEqual(kinds(entries), ['most']);
  entries = answer(entries, 'month', { valueInteger: Number.NaN });
  assert.deepEqual(kinds(entries), ['number']);
  entries = answer(entries, 'month', { valueInteger: 9 });
  entries = answer(entries, 'vaccine', { valueString: 'too long' });
  assert.deepEqual(kinds(entries), ['long']);
  entries = answer(entries, 'vaccine');
  entries = answer(entries, 'lot', { valueString: 'L' });
  assert.deepEqual(kinds(entries), [], 'the lot is not asked for without a vaccine');
});

test('a group is repeated behind itself, and each has its own conditions', () => {
  let entries = answer(model.begin(form, []), 'vaccine', { valueString: 'a' });
  entries = model.repeat(entries, find(entries, 'dose').key);
  assert.equal(entries.length, 6);
  const [, second] = entries.filter(({ question }) => question.linkId === 'dose');
  entries = model.answer(entries, find([second], 'vaccine').key, [{ valueString: 'b' }]);
  entries = model.answer(entries, find([second], 'lot').key, [{ valueString: 'L' }]);
  assert.deepEqual(model.responseItems(entries)[1].item[1].answer, [{ valueString: 'L' }]);
  entries = model.remove(entries, second.key);
  assert.equal(entries.length, 5);
});

test('a form speaks the language of who reads it where it can', () => {
  const more = {
    extension: [
      {
        url: 'http://hl7.org/fhir/StructureDefinition/translation',
        extension: [
          { url: 'lang', valueCode: 'fr-CH' },
          { url: 'content', valueString: 'Poids' },
        ],
      },
    ],
  };
  assert.equal(wordsOf('Weight', more, 'fr'), 'Poids');
  assert.equal(wordsOf('Weight', more, 'ar'), 'Weight');
  assert.equal(wordsOf(undefined, undefined, 'ar'), '');
});
