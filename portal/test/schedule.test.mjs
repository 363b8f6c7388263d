import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { load } from './load.mjs';

const { addDays, nextDoses, plan } = await load('health/schedule.ts');
const schedule = JSON.parse(
  readFileSync(new URL('../src/data/schedule.json', import.meta.url), 'utf8'),
);
const girl = { birthDate: '2026-01-01', gender: 'female' };

function given(cvx, day, dose) {
  return {
    status: 'completed',
    vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: cvx }] },
    occurrenceDateTime: `${day}T09:00:00+02:00`,
    ...(dose ? { protocolApplied: [{ doseNumberPositiveInt: dose }] } : {}),
  };
}

const of = (doses, cvx, number) => doses.find((d) => d.cvx === cvx && d.number === number);

test('a newborn is due for BCG, hepatitis B and polio drops', () => {
  const next = nextDoses(plan(schedule, girl, [], '2026-01-01'));
  assert.deepEqual(next.map((dose) => dose.cvx).sort(), ['08', '178', '19']);
  assert.ok(next.every((dose) => dose.state === 'due' && dose.day === '2026-01-01'));
});

test('what was given is given on its day', () => {
  const doses = plan(schedule, girl, [given('19', '2026-01-05', 1)], '2026-02-01');
  assert.deepEqual(of(doses, '19', 1), {
    cvx: '19',
    number: 1,
    state: 'given',
    day: '2026-01-05',
  });
});

test('a dose without a number is the one at birth', () => {
  assert.equal(
    of(plan(schedule, girl, [given('178', '2026-01-02')], '2026-01-03'), '178', 0).state,
    'given',
  );
});

test('the second dose waits four weeks for the first', () => {
  const doses = plan(schedule, girl, [given('198', '2026-05-01', 1)], '2026-05-02');
  assert.equal(of(doses, '198', 2).day, '2026-05-29');
  assert.equal(of(doses, '198', 2).state, 'coming');
  assert.equal(of(doses, '198', 3).day, '2026-06-26');
});

test('late after four weeks, due a week before', () => {
  const state = (today) => of(plan(schedule, girl, [], today), '198', 1).state;
  assert.equal(addDays('2026-01-01', 42), '2026-02-12');
  assert.equal(state('2026-02-04'), 'coming');
  assert.equal(state('2026-02-05'), 'due');
  assert.equal(state('2026-03-12'), 'due');
  assert.equal(state('2026-03-13'), 'late');
});

test('what is too late is asked of nobody', () => {
  assert.equal(of(plan(schedule, girl, [], '2026-02-01'), '08', 1), undefined);
  assert.equal(of(plan(schedule, girl, [], '2028-02-01'), '119', 1), undefined);
  assert.deepEqual(
    plan(schedule, { birthDate: '1980-01-01', gender: 'male' }, [], '2026-01-01'),
    [],
  );
});

test('HPV is for girls', () => {
  const born = (gender) => plan(schedule, { birthDate: '2016-06-01', gender }, [], '2026-01-01');
  assert.ok(of(born('female'), '62', 1));
  assert.equal(of(born('male'), '62', 1), undefined);
});

test('without a whole day of birth there is no plan', () => {
  assert.deepEqual(plan(schedule, {}, [], '2026-01-01'), []);
  assert.deepEqual(plan(schedule, { birthDate: '2026-01' }, [], '2026-02-01'), []);
});

test('a vaccination that was not done counts for nothing', () => {
  const entered = { ...given('19', '2026-01-05', 1), status: 'not-done' };
  assert.equal(of(plan(schedule, girl, [entered], '2026-01-06'), '19', 1).state, 'due');
});
