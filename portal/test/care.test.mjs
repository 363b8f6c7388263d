import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { IDS, visitBundle } = await load('care/visit-bundle.ts');
const { searchOf } = await load('care/search.ts');

const visit = {
  ids: Array.from({ length: IDS }, (_, i) => `id-${i}`),
  patient: 'p',
  user: 'Practitioner/n',
  organization: 'Organization/o',
  start: '2026-11-26T08:00:00Z',
  end: '2026-11-26T08:10:00Z',
  values: new Map([['8310-5', 38.7]]),
  note: 'Fever',
};

test('a visit is one transaction of what was said, and nothing else', () => {
  const { entry } = visitBundle(visit);
  assert.deepEqual(
    entry.map((one) => one.resource.resourceType),
    ['Encounter', 'Observation', 'Condition'],
  );
  const [encounter, observation, condition] = entry.map((one) => one.resource);
  assert.equal(observation.valueQuantity.value, 38.7);
  assert.equal(observation.encounter.reference, `Encounter/${encounter.id}`);
  assert.equal(condition.code.text, 'Fever');
  assert.equal(encounter.serviceProvider.reference, 'Organization/o');
});

test('sent twice it is the same: its ids are made before', () => {
  assert.deepEqual(visitBundle(visit), visitBundle(visit));
  const urls = visitBundle(visit).entry.map((one) => one.request);
  assert.ok(urls.every((request) => request.method === 'PUT'));
  assert.equal(new Set(urls.map((request) => request.url)).size, urls.length);
});

test('a visit without findings is a visit', () => {
  const { entry } = visitBundle({ ...visit, values: new Map(), note: '', organization: undefined });
  assert.equal(entry.length, 1);
  assert.equal(entry[0].resource.serviceProvider, undefined);
});

test('what is typed says which search it means', () => {
  assert.equal(searchOf(' Amina Diallo '), 'name=Amina&name=Diallo');
  assert.equal(searchOf('2024-03-01'), 'birthdate=2024-03-01');
  assert.equal(searchOf('5496 943 951'), 'identifier=5496943951');
  assert.equal(searchOf('a&b=c'), 'name=a%26b%3Dc');
  assert.equal(searchOf('خديجة'), `name=${encodeURIComponent('خديجة')}`);
});
