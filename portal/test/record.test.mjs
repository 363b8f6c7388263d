// What pages make of a record: documents, what is to come, a card's code, an axis.
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { documentsOf, fileName } = await load('health/attached.ts');
const { calendarOf, remindersOf } = await load('health/to-come.ts');
const { codeText } = await load('health/code.ts');
const { entryDay, entryName } = await load('health/entry.ts');
const { isSaid } = await load('parts/said.ts');
const { ticks } = await load('parts/ticks.ts');

const TODAY = '2026-11-27';

test('documents are current ones and reports with a form, the latest first', () => {
  const attachment = { title: 'a', contentType: 'text/plain', data: 'YQ==' };
  const list = documentsOf([
    { resourceType: 'Patient', id: 'p' },
    {
      resourceType: 'DocumentReference',
      id: 'old',
      status: 'current',
      date: '2025-01-01',
      content: [{ attachment }],
    },
    { resourceType: 'DocumentReference', id: 'gone', status: 'superseded' },
    { resourceType: 'DiagnosticReport', id: 'bare', code: { text: 'x' } },
    {
      resourceType: 'DiagnosticReport',
      id: 'new',
      code: { text: 'Blood count' },
      issued: '2026-01-01',
      presentedForm: [attachment],
    },
  ]);
  assert.deepEqual(
    list.map(({ title, attachments }) => [title, attachments.length]),
    [
      ['Blood count', 1],
      ['a', 1],
    ],
  );
});

test('file names are of letters and digits of any script', () => {
  assert.equal(fileName('../إحالة: قلب\n', 'application/pdf'), 'إحالة-قلب.pdf');
  assert.equal(fileName('///', 'text/plain;charset=utf-8'), 'carnet.txt');
  assert.equal(fileName('a'.repeat(200), undefined), `${'a'.repeat(60)}.bin`);
});

const dose = (day, state) => ({ cvx: '04', number: 1, state, day });
const booked = { id: 'b', status: 'booked', start: '2026-12-01T09:00:00+01:00' };

test('what is to come: open appointments, and doses within a year', () => {
  const list = remindersOf(
    [
      booked,
      { ...booked, id: 'c', status: 'cancelled' },
      { ...booked, id: 'd', start: '2026-11-01T09:00:00Z' },
    ],
    [dose('2026-01-01', 'given'), dose('2026-10-01', 'late'), dose('2035-01-01', 'coming')],
    TODAY,
  );
  assert.deepEqual(
    list.map(({ id }) => id),
    ['doses-2026-10-01', 'appointment-b'],
  );
});

test('a calendar has one event each, says nothing of health, and folds its lines', () => {
  const list = remindersOf([booked], [dose('2026-10-01', 'late')], TODAY);
  const title = `Centre; santé, ${'é'.repeat(60)}`;
  const text = calendarOf(list, title, '2026-11-27T10:00:00.123Z', TODAY);
  for (const line of text.split('\r\n')) assert.ok(Buffer.byteLength(line) <= 75, line);
  const whole = text.replace(/\r\n /g, '');
  assert.equal(whole.match(/BEGIN:VEVENT/g).length, 2);
  assert.match(whole, /DTSTART;VALUE=DATE:20261127\r\n/); // what is late stands on today
  assert.match(whole, /DTSTART:20261201T080000Z\r\n/);
  assert.match(whole, /DTSTAMP:20261127T100000Z\r\n/);
  assert.ok(whole.includes(`SUMMARY:Centre\\; santé\\, ${'é'.repeat(60)}\r\n`));
});

test("a card's code is the official number, or the record's own id", () => {
  const identifier = [
    { use: 'usual', system: 'urn:mr', value: '1' },
    { use: 'official', system: 'urn:ni', value: '2' },
  ];
  assert.equal(codeText({ id: 'p', identifier }), 'urn:ni|2');
  assert.equal(codeText({ id: 'p', identifier: [{ value: '3' }] }), 'Patient/p');
  assert.equal(codeText({ id: 'p' }), 'Patient/p');
});

test('an axis has few round numbers, all within it', () => {
  assert.deepEqual(ticks(2.1, 17.4, 4), [5, 10, 15]);
  assert.deepEqual(ticks(0, 1, 4), [0, 0.5, 1]);
  assert.deepEqual(ticks(-3, 3, 4), [-2, 0, 2]);
  for (const [low, high] of [
    [0.001, 0.0093],
    [1e6, 9e6],
    [36.1, 36.4],
    [0, 7],
  ]) {
    const list = ticks(low, high, 4);
    assert.ok(list.length >= 1 && list.length <= 5, `${list}`);
    assert.ok(
      list.every((n) => n >= low - 1e-9 && n <= high + 1e-9),
      `${list}`,
    );
  }
});

test('an entry is called by what it says of itself, and is of its day', () => {
  const known = { 'vaccine.19': 'BCG', 'result.8302-2': 'Height', 'visit.epi': 'Vaccination' };
  const i18n = { find: (key) => known[key], t: (key) => key, number: String };
  const cvx = { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '19' }] };
  const names = [
    ['Flu', { resourceType: 'Condition', code: { text: 'Flu' } }],
    ['BCG', { resourceType: 'Immunization', vaccineCode: cvx }],
    ['Vaccination', { resourceType: 'Encounter', type: [{ coding: [{ code: 'epi' }] }] }],
    ['visit.other', { resourceType: 'Encounter' }],
    ['Mia Bodo', { resourceType: 'Patient', name: [{ given: ['Mia'], family: 'Bodo' }] }],
    ['Iron', { resourceType: 'MedicationRequest', medicationCodeableConcept: { text: 'Iron' } }],
    ['documents.unnamed', { resourceType: 'DocumentReference' }],
    [
      'Height: 92.5 cm',
      {
        resourceType: 'Observation',
        code: { coding: [{ code: '8302-2' }] },
        valueQuantity: { value: 92.5, unit: 'cm' },
      },
    ],
  ];
  for (const [name, one] of names) assert.equal(entryName(i18n, one), name);
  assert.equal(entryDay({ period: { start: '2026-01-02' } }), '2026-01-02');
  assert.equal(entryDay({ recordedDate: '2026-01-03', onsetDateTime: '2025' }), '2025');
  assert.equal(entryDay({}), undefined);
});

test('what is said of a correction is counted in bytes, without the blanks around it', () => {
  assert.ok(!isSaid(' ab ') && isSaid('abc') && isSaid('é!'));
  assert.ok(isSaid('é'.repeat(2000)) && !isSaid('é'.repeat(2001)));
});
