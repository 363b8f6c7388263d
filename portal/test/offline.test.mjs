import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { isKept, shellOf } = await load('offline/kept.ts');
const base = 'https://node.example/carnet/';

test('pages are kept, and nothing that says anything about anybody', () => {
  assert.equal(isKept(`${base}assets/index-a1b2.js`, base), 'lasting');
  for (const path of ['', '?code=x&state=y', 'portal.json', 'manifest.webmanifest'])
    assert.equal(isKept(base + path, base), 'newest', path);
  for (const path of ['fhir/Patient/1', 'carnet/$linelist', 'auth/demo', 'assets/../fhir/Patient'])
    assert.equal(isKept(base + path, base), undefined, path);
  assert.equal(isKept('https://other.example/assets/index.js', base), undefined);
});

test('the answer to a sign-in is not kept with the page', () => {
  assert.equal(shellOf(`${base}?code=x#/health`), base);
});
