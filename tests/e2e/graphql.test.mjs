// What graphql, the reference implementation of the language, makes of $graphql at CARNET_URL.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { buildClientSchema, getIntrospectionQuery, parse, validate, validateSchema } from 'graphql';

const post = async (path, body) => {
  const reply = await fetch(`${process.env.CARNET_URL}${path}/$graphql`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  return { status: reply.status, body: await reply.json() };
};

// In the node's own schema, whether a query is right is the library's to say, and the node agrees.
const queries = [
  ['{ Patient(id: "x") { name(use: "official") { given family } } }', true],
  ['{ PatientList(general_practitioner: "Practitioner/1", _count: 3) { id birthDate } }', true],
  ['query q($n: [String]) { PatientConnection(name: $n) { count edges { mode } } }', true],
  ['{ ObservationList { subject { resource(optional: true) { ... on Patient { id } } } } }', true],
  ['{ ObservationList { valueQuantity { value } _status { id } component { id } } }', true],
  ['{ PatientList { contact { ...c } } } fragment c on Patient_contact { name { text } }', true],
  ['{ PatientList { family } }', false],
  ['{ PatientList { name } }', false],
  ['{ PatientList { id { x } } }', false],
  ['{ PatientList { name(kind: "x") { given } } }', false],
  ['{ PatientConnection { edges { node { id } } } }', false],
  ['{ PatientList { ... on Nothing { id } } }', false],
  ['{ PatientList { id @nothing } }', false],
];

let schema;

before(async () => {
  const { status, body } = await post('', { query: getIntrospectionQuery() });
  assert.equal(status, 200, JSON.stringify(body).slice(0, 500));
  schema = buildClientSchema(body.data);
});

test('the schema is one', () => {
  assert.deepEqual(validateSchema(schema).map((e) => e.message), []);
  assert.equal(schema.getQueryType().name, 'Query');
});

for (const [query, isRight] of queries) {
  test(`${isRight ? 'right' : 'wrong'}: ${query}`, async () => {
    const errors = validate(schema, parse(query)).map((e) => e.message);
    assert.equal(errors.length === 0, isRight, errors.join());
    const { status } = await post('', { query });
    assert.equal(status === 200 || status === 404, isRight, `the node says ${status}`);
  });
}
