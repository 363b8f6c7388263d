// What fhir-kit-client, a client library of others, makes of a node at CARNET_URL.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import Client from 'fhir-kit-client';

const client = new Client({ baseUrl: process.env.CARNET_URL });
const status = (resource) => Client.httpFor(resource).response.status;
const header = (resource, name) => Client.httpFor(resource).response.headers.get(name);

function patient(more = {}) {
  return { resourceType: 'Patient', active: true, name: [{ family: 'Okello', given: ['Ann'] }],
    ...more };
}

const create = (body) => client.create({ resourceType: body.resourceType, body });

async function refused(promise, code) {
  const error = await promise.then(() => assert.fail('was not refused'), (e) => e);
  assert.equal(error.response?.status, code, String(error));
  assert.equal(error.response.data.resourceType, 'OperationOutcome');
  assert.ok(error.response.data.issue.length > 0);
}

test('capabilities name R4, JSON and what the client looks for', async () => {
  const statement = await client.capabilityStatement();
  assert.equal(statement.resourceType, 'CapabilityStatement');
  assert.equal(statement.fhirVersion, '4.0.1');
  const type = statement.rest[0].resource.find((r) => r.type === 'Patient');
  const codes = type.interaction.map((i) => i.code);
  for (const code of ['read', 'vread', 'update', 'patch', 'delete', 'create', 'search-type']) {
    assert.ok(codes.includes(code), `no ${code}`);
  }
});

test('create, then read', async () => {
  const made = await create(patient());
  assert.equal(status(made), 201);
  assert.match(header(made, 'location'), new RegExp(`/Patient/${made.id}/_history/`));
  const read = await client.read({ resourceType: 'Patient', id: made.id });
  assert.deepEqual(read.name, made.name);
  assert.equal(header(read, 'etag'), `W/"${read.meta.versionId}"`);
  await refused(client.read({ resourceType: 'Patient', id: 'nobody' }), 404);
});

test('create is refused for what is no Patient', async () => {
  await refused(create({ resourceType: 'Patient', active: 'perhaps' }), 422);
});

test('update, then vread of both versions', async () => {
  const first = await create(patient());
  const second = await client.update({ resourceType: 'Patient', id: first.id,
    body: { ...first, gender: 'female' },
    options: { headers: { 'If-Match': header(first, 'etag') } } });
  assert.equal(status(second), 200);
  assert.notEqual(second.meta.versionId, first.meta.versionId);
  const vread = (v) => client.vread({ resourceType: 'Patient', id: first.id,
    version: v.meta.versionId });
  assert.equal((await vread(first)).gender, undefined);
  assert.equal((await vread(second)).gender, 'female');
  await refused(client.update({ resourceType: 'Patient', id: first.id, body: first,
    options: { headers: { 'If-Match': header(first, 'etag') } } }), 412);
});

test('patch', async () => {
  const made = await create(patient());
  const patched = await client.patch({ resourceType: 'Patient', id: made.id,
    JSONPatch: [{ op: 'replace', path: '/active', value: false },
      { op: 'add', path: '/gender', value: 'male' }] });
  assert.equal(patched.active, false);
  assert.equal(patched.gender, 'male');
});

test('delete, then the resource is gone and its history is not', async () => {
  const made = await create(patient());
  const gone = await client.delete({ resourceType: 'Patient', id: made.id });
  assert.ok([200, 204].includes(status(gone)));
  await refused(client.read({ resourceType: 'Patient', id: made.id }), 410);
  const history = await client.resourceHistory({ resourceType: 'Patient', id: made.id });
  assert.deepEqual(history.entry.map((e) => e.request.method), ['DELETE', 'POST']);
});

test('search by GET and by POST', async () => {
  const made = await create(patient({ identifier: [{ system: 'urn:e2e', value: 'a b+c' }] }));
  const query = { resourceType: 'Patient', searchParams: { identifier: 'urn:e2e|a b+c' } };
  for (const postSearch of [false, true]) {
    const found = await client.search({ ...query, options: { postSearch } });
    assert.equal(found.type, 'searchset');
    assert.deepEqual(found.entry.map((e) => e.resource.id), [made.id]);
  }
});

test('pages, one after the other', async () => {
  const system = 'urn:e2e-pages';
  const ids = new Set();
  for (let i = 0; i < 25; i++) {
    ids.add((await create(patient({ identifier: [{ system, value: `${i}` }] }))).id);
  }
  let bundle = await client.search({ resourceType: 'Patient',
    searchParams: { identifier: `${system}|`, _count: 10 } });
  const sizes = [];
  while (bundle) {
    sizes.push(bundle.entry.length);
    bundle.entry.forEach((e) => assert.ok(ids.delete(e.resource.id), 'twice or unknown'));
    bundle = await client.nextPage({ bundle });
  }
  assert.deepEqual(sizes, [10, 10, 5]);
  assert.equal(ids.size, 0);
});

test('a transaction links its entries, or does nothing', async () => {
  const fullUrl = 'urn:uuid:7d1fc6b0-52a3-4f5c-9c61-0a8f9d6d1a01';
  const observation = { resourceType: 'Observation', status: 'final', code: { text: 'weight' },
    subject: { reference: fullUrl } };
  const body = { resourceType: 'Bundle', type: 'transaction', entry: [
    { resource: observation, request: { method: 'POST', url: 'Observation' } },
    { fullUrl, resource: patient(), request: { method: 'POST', url: 'Patient' } }] };
  const done = await client.transaction({ body });
  assert.equal(done.type, 'transaction-response');
  const [observed, person] = done.entry.map((e) => e.response.location.split('/_history/')[0]
    .split('/').slice(-2));
  const got = await client.read({ resourceType: observed[0], id: observed[1] });
  assert.equal(got.subject.reference, person.join('/'));
  const resolved = await client.resolve({ reference: got.subject.reference });
  assert.equal(resolved.id, person[1]);

  const value = 'must-not-stay';
  const bad = { ...body, entry: [
    { resource: patient({ identifier: [{ system: 'urn:e2e', value }] }),
      request: { method: 'POST', url: 'Patient' } },
    { resource: { resourceType: 'Observation' }, request: { method: 'POST', url: 'Observation' } },
  ] };
  await refused(client.transaction({ body: bad }), 422);
  const left = await client.search({ resourceType: 'Patient',
    searchParams: { identifier: `urn:e2e|${value}` } });
  assert.equal(left.entry?.length ?? 0, 0);
});

test('a batch answers each entry', async () => {
  const done = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry: [
    { resource: patient(), request: { method: 'POST', url: 'Patient' } },
    { request: { method: 'GET', url: 'Patient/nobody' } }] } });
  assert.deepEqual(done.entry.map((e) => e.response.status.slice(0, 3)), ['201', '404']);
});

test('history of a type and of the system', async () => {
  const made = await create(patient());
  for (const bundle of [await client.typeHistory({ resourceType: 'Patient' }),
    await client.systemHistory()]) {
    assert.equal(bundle.type, 'history');
    assert.equal(bundle.entry[0].resource.id, made.id);
  }
});
