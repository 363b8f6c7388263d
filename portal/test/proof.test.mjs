// The tree and the formats made here anew with node's own cryptography, then checked by the portal.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { load } from './load.mjs';

const { checkProof } = await load('verify/proof.ts');
const { readKey } = await load('verify/note.ts');

const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafHash = (extra) => sha(Buffer.from([0]), sha(extra));
const node = (left, right) => sha(Buffer.from([1]), left, right);

// RFC 9162, 2.1.1 and 2.1.3.1, as they are defined: by halves.
function half(n) {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function rootOf(leaves) {
  if (leaves.length === 1) return leaves[0];
  const k = half(leaves.length);
  return node(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

function pathOf(m, leaves) {
  if (leaves.length === 1) return [];
  const k = half(leaves.length);
  return m < k
    ? [...pathOf(m, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(m - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const name = 'carnet/test';
const material = Buffer.concat([
  Buffer.from([1]),
  publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
]);
const id = sha(Buffer.from(`${name}\n`), material).subarray(0, 4);
const vkey = `${name}+${id.toString('hex')}+${material.toString('base64')}`;

function proofOf(index, extras) {
  const leaves = extras.map(leafHash);
  const body = `${name}\n${leaves.length}\n${rootOf(leaves).toString('base64')}\n`;
  const signature = Buffer.concat([id, sign(null, Buffer.from(body), privateKey)]);
  return [
    'c2sp.org/tlog-proof@v1',
    `extra ${extras[index].toString('base64')}`,
    `index ${index}`,
    ...pathOf(index, leaves).map((hash) => hash.toString('base64')),
    '',
    `${body}\n— ${name} ${signature.toString('base64')}\n`,
  ].join('\n');
}

const entries = (n) =>
  Array.from({ length: n }, (_, i) => Buffer.from(`salt-of-sixteen!entry ${i}`));

test('every entry of trees of 1 to 20 is proved', async () => {
  const key = await readKey(vkey);
  for (let n = 1; n <= 20; n++)
    for (let i = 0; i < n; i++)
      assert.deepEqual(await checkProof(proofOf(i, entries(n)), key), { index: i, size: n });
});

test('whatever is changed in a proof, it does not hold', async () => {
  const key = await readKey(vkey);
  const lines = proofOf(5, entries(11)).split('\n');
  const change = (at, how) => lines.map((line, i) => (i === at ? how(line) : line)).join('\n');
  const flip = (text) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
  const other = (line) => {
    const [last, ...before] = line.split(' ').reverse();
    return [...before.reverse(), flip(last)].join(' ');
  };
  for (let at = 1; at < lines.length; at++) {
    if (lines[at] === '') continue;
    await assert.rejects(checkProof(change(at, other), key), `line ${at}`);
  }
  await assert.rejects(
    checkProof(
      change(2, () => 'index 6'),
      key,
    ),
  );
  await assert.rejects(
    checkProof(
      change(2, () => 'index 99'),
      key,
    ),
  );
  await assert.rejects(checkProof(lines.filter((_, i) => i !== 3).join('\n'), key));
  await assert.rejects(
    checkProof([...lines.slice(0, 3), lines[3], ...lines.slice(3)].join('\n'), key),
  );
  await assert.rejects(checkProof('', key));
  await assert.rejects(checkProof('c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nx', key));
});

test("another log's key does not do", async () => {
  const pair = generateKeyPairSync('ed25519');
  const bytes = Buffer.concat([
    Buffer.from([1]),
    pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
  ]);
  const hash = sha(Buffer.from(`${name}\n`), bytes).subarray(0, 4);
  const other = await readKey(`${name}+${hash.toString('hex')}+${bytes.toString('base64')}`);
  await assert.rejects(checkProof(proofOf(0, entries(2)), other));
});

test('a key whose id is not its own is none', async () => {
  await assert.rejects(readKey(`${name}+00000000+${material.toString('base64')}`));
  await assert.rejects(readKey(''));
});
