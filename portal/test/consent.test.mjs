import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { choicesOf, consentOf, provisionOf, unspoken } = await load('health/consent.ts');
const now = new Date('2026-11-26T12:00:00Z');

test('each choice is said by a consent that says it back', () => {
  const seen = new Set();
  for (const care of [true, false])
    for (const emergency of [true, false])
      for (const sensitive of [true, false]) {
        const choices = { care, emergency, sensitive };
        const consent = consentOf(choices, 'p', now);
        const back = choicesOf(JSON.parse(JSON.stringify(consent)));
        // Who lets nobody see anything has not to be asked about what is sensitive.
        assert.equal(back.care, care);
        assert.equal(back.emergency, emergency);
        if (care) assert.equal(back.sensitive, sensitive);
        seen.add(JSON.stringify(consent.provision));
      }
  assert.equal(seen.size, 6);
});

test('a no is a no with an exception, a yes a yes', () => {
  assert.deepEqual(provisionOf({ care: false, emergency: false, sensitive: false }), {
    type: 'deny',
  });
  assert.deepEqual(provisionOf(unspoken), { type: 'permit' });
  const [exception] = provisionOf({ ...unspoken, emergency: false }).provision;
  assert.equal(exception.type, 'deny');
  assert.equal(exception.purpose[0].code, 'BTG');
});

test('what these sentences cannot say is not taken for one of them', () => {
  const consent = consentOf(unspoken, 'p', now);
  for (const provision of [
    { type: 'permit', period: { end: '2027-01-01' } },
    { type: 'permit', actor: [{ reference: { reference: 'Practitioner/x' } }] },
    { type: 'permit', provision: [{ type: 'deny', purpose: [{ code: 'HRESCH' }] }] },
    undefined,
  ])
    assert.equal(choicesOf({ ...consent, provision }), undefined);
});

test('a change keeps the consent that is there', () => {
  const before = { ...consentOf(unspoken, 'p', now), id: '1', meta: { versionId: '7' } };
  const after = consentOf({ ...unspoken, care: false }, 'p', now, before);
  assert.equal(after.id, '1');
  assert.equal(after.meta.versionId, '7');
  assert.equal(after.provision.type, 'deny');
});
