import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { auditQuery } = await load('steward/audit-query.ts');
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
