import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { auditQuery } = await load('steward/audit-query.ts');
const { readAsked } = await load('steward/why-asked.ts');
const { readSenders } = await load('country/conformance.ts');
const { readMetrics } = await load('steward/metrics.ts');

test('a search of the log asks for what was filled in, and for no more', () => {
  const form = new Map([
    ['record', ' a1 '],
    ['from', '2026-11-01'],
    ['to', ''],
    ['role', 'worker'],
  ]);
  assert.equal(
    auditQuery(form),
    'AuditEvent?patient=a1&date=ge2026-11-01&agent-role=worker&_count=50',
  );
  assert.equal(auditQuery(new Map()), 'AuditEvent?_count=50');
});

test('metrics have their labels, values and what they mean', () => {
  const text = [
    '# HELP carnet_requests_total FHIR interactions answered, by status class.',
    '# TYPE carnet_requests_total counter',
    'carnet_requests_total{class="2xx"} 17',
    'carnet_requests_total{class="5xx"} 0',
    'carnet_ratio 1.5e-3',
    'not a metric at all!',
    '',
  ].join('\n');
  assert.deepEqual(
    readMetrics(text).map(({ name, labels, value }) => [name, labels, value]),
    [
      ['carnet_requests_total', '{class="2xx"}', 17],
      ['carnet_requests_total', '{class="5xx"}', 0],
      ['carnet_ratio', '', 0.0015],
    ],
  );
  assert.match(readMetrics(text)[0].help, /by status class/);
});

test('what is explained is an account and a resource, also one copied with its address', () => {
  const asked = { resource: 'Patient/1', login: 'doc' };
  assert.deepEqual(readAsked(' Patient/1 ', ' Doc'), asked);
  assert.deepEqual(readAsked('https://node.example/fhir/Patient/1', 'doc'), asked);
  for (const [resource, login] of [
    ['1', 'doc'],
    ['Patient/1', ' '],
    ['Patient/1?x=y', 'doc'],
    ['patient/1', 'doc'],
    ['Patient/$x', 'doc'],
  ])
    assert.equal(readAsked(resource, login), undefined, resource);
});

test('senders are in the order of what falls short, their rules likewise', () => {
  const coded = (code, count) => ({ code: { coding: [{ code }] }, count });
  const group = (text, all, short, rules = []) => ({
    code: { text },
    population: [coded('denominator', all), coded('numerator', short)],
    stratifier: [
      {
        stratum: rules.map(([rule, n]) => ({
          value: { text: rule },
          population: [coded('numerator', n)],
        })),
      },
    ],
  });
  assert.deepEqual(readSenders({}), []);
  const read = readSenders({
    group: [
      group('a', 10, 1),
      group('b', 20, 7, [
        ['x', 2],
        ['y', 5],
      ]),
    ],
  });
  assert.deepEqual(
    read.map(({ name, received, short }) => [name, received, short]),
    [
      ['b', 20, 7],
      ['a', 10, 1],
    ],
  );
  assert.deepEqual(read[0].rules, [
    { rule: 'y', count: 5 },
    { rule: 'x', count: 2 },
  ]);
});
