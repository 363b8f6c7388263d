import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { responseOf, visitBundle } = await load('care/visit-bundle.ts');
const { searchOf } = await load('care/search.ts');

const visit = {
  response: 'r',
  encounter: 'e',
  form: 'urn:form|1',
  patient: 'p',
  user: 'Practitioner/n',
  organization: 'Organization/o',
  start: '2026-11-26T08:00:00Z',
  end: '2026-11-26T08:10:00Z',
  items: [{ linkId: 'a', answer: [{ valueInteger: 1 }] }],
};
const made = {
  resourceType: 'Bundle',
  type: 'transaction',
  entry: [{ resource: { resourceType: 'Observation' }, request: { method: 'PUT', url: 'a' } }],
};

test('a visit is one transaction of the encounter, the answers, and what was made of them', () => {
  const { entry } = visitBundle(visit, made);
  assert.deepEqual(
    entry.map((one) => one.resource.resourceType),
    ['Encounter', 'QuestionnaireResponse', 'Observation'],
  );
  const [encounter, response] = entry.map((one) => one.resource);
  assert.equal(encounter.serviceProvider.reference, 'Organization/o');
  assert.equal(response.encounter.reference, 'Encounter/e');
  assert.equal(response.author.reference, 'Practitioner/n');
  assert.deepEqual(response, responseOf(visit));
});

test('sent twice it is stored once: ids are made before, and the answers must not be there', () => {
  assert.deepEqual(visitBundle(visit, made), visitBundle(visit, made));
  const requests = visitBundle(visit, made).entry.map((one) => one.request);
  assert.ok(requests.every((request) => request.method === 'PUT'));
  assert.equal(requests[1].url, 'QuestionnaireResponse/r');
  assert.equal(requests[1].ifNoneMatch, '*');
});

test('a visit without findings is a visit', () => {
  const empty = { resourceType: 'Bundle', type: 'transaction' };
  const { entry } = visitBundle({ ...visit, items: [], organization: undefined }, empty);
  assert.equal(entry.length, 2);
  assert.equal(entry[0].resource.serviceProvider, undefined);
  assert.equal(entry[1].resource.item, undefined);
});

test('what is typed says which search it means', () => {
  assert.equal(searchOf(' Amina Diallo '), 'name=Amina&name=Diallo');
  assert.equal(searchOf('2024-03-01'), 'birthdate=2024-03-01');
  assert.equal(searchOf('5496 943 951'), 'identifier=5496943951');
  assert.equal(searchOf('a&b=c'), 'name=a%26b%3Dc');
  assert.equal(searchOf('خديجة'), `name=${encodeURIComponent('خديجة')}`);
});

test('who waits: the next dose of each vaccine, who has waited longest first', async () => {
  const { bornSince, waiting } = await load('care/due-list.ts');
  const schedule = {
    vaccines: [
      {
        cvx: '04',
        doses: [
          { number: 1, days: 270 },
          { number: 2, days: 540 },
        ],
        untilDays: 1826,
      },
    ],
  };
  const today = '2026-11-27';
  assert.equal(bornSince(schedule, today), '2021-11-27');
  const child = (id, birthDate, more = {}) => ({ resourceType: 'Patient', id, birthDate, ...more });
  const given = [
    {
      status: 'completed',
      patient: { reference: 'Patient/done' },
      vaccineCode: { coding: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '04' }] },
      occurrenceDateTime: '2026-11-01',
      protocolApplied: [{ doseNumberPositiveInt: 1 }],
    },
  ];
  const list = waiting(
    schedule,
    [
      child('done', '2026-02-01'),
      child('young', '2026-11-01'),
      child('due', '2026-02-28'),
      child('late', '2024-01-01'),
      child('dead', '2024-01-01', { deceasedBoolean: true }),
    ],
    given,
    today,
  );
  assert.deepEqual(
    list.map(({ person, doses, isLate }) => [person.id, doses.length, isLate]),
    [
      ['late', 1, true],
      ['due', 1, false],
    ],
  );
});

test('a visit that the node has is sent, and one that was changed since is not', async () => {
  globalThis.document = { baseURI: 'https://node.example/' };
  const { sendVisit } = await load('care/send.ts');
  const replying = (issues, stored) => ({
    operation: async () => ({
      parameter: [
        { name: 'return', resource: made },
        { name: 'issues', resource: { issue: issues } },
      ],
    }),
    transaction: async () => {
      throw new Problem('conflict', '412');
    },
    get: async () => stored,
  });
  // The Problem of the module itself.
  const refused = await sendVisit(replying([{ severity: 'error' }]), visit).catch((e) => e);
  const { constructor: Problem } = refused;
  assert.equal(refused.kind, 'failed');
  await sendVisit(replying([], responseOf(visit)), visit);
  const later = { ...visit, end: '2026-11-26T08:20:00Z' };
  await assert.rejects(sendVisit(replying([], responseOf(visit)), later), { kind: 'conflict' });
});

test("a card's code is looked for as what it is", async () => {
  const { identifierOf, isNumber, searchOf } = await load('care/search.ts');
  assert.equal(searchOf('urn:ni|12'), `identifier=${encodeURIComponent('urn:ni|12')}`);
  assert.equal(searchOf('Patient/a-1'), '_id=a-1');
  assert.equal(searchOf('Patient/../x'), 'name=Patient%2F..%2Fx');
  assert.deepEqual(identifierOf('urn:ni|12'), { system: 'urn:ni', value: '12' });
  assert.deepEqual(identifierOf(' 549 694 '), { value: '549694' });
  assert.equal(isNumber('5496943951'), true);
  assert.equal(isNumber('2024-01-01'), false);
  assert.equal(isNumber('Amina'), false);
});
