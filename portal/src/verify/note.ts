// Signed notes and tree heads as C2SP's signed-note and tlog-checkpoint say.
import { fromBase64, isSame, join, NoProof, sha256 } from './bytes';

const ED25519 = 1;
const text = new TextEncoder();

export interface Key {
  name: string;
  id: Uint8Array;
  bytes: Uint8Array<ArrayBuffer>;
}

// "name+id+base64(type, public key)"; the id has to be that of the key.
export async function readKey(vkey: string): Promise<Key> {
  const [name = '', id = '', ...rest] = vkey.split('+');
  const material = fromBase64(rest.join('+'));
  const hash = (await sha256(text.encode(`${name}\n`), material)).slice(0, 4);
  const hex = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (material[0] !== ED25519 || material.length !== 33 || hex !== id)
    throw new NoProof('the key is none of a log');
  return { name, id: hash, bytes: material.slice(1) };
}

export interface Head {
  origin: string;
  size: number;
  hash: Uint8Array;
}

// The head that a note holds, once this key's signature of it holds.
export async function readHead(note: string, key: Key): Promise<Head> {
  const end = note.indexOf('\n\n');
  if (end < 0) throw new NoProof('no note');
  const body = note.slice(0, end + 1);
  if (!(await isSigned(body, note.slice(end + 2), key)))
    throw new NoProof('the log did not sign this');
  const [origin = '', size = '', hash = ''] = body.split('\n');
  if (origin !== key.name || !/^\d+$/.test(size)) throw new NoProof('no tree head');
  return { origin, size: Number(size), hash: fromBase64(hash) };
}

async function isSigned(body: string, signatures: string, key: Key): Promise<boolean> {
  const imported = await crypto.subtle.importKey('raw', key.bytes, 'Ed25519', false, ['verify']);
  for (const line of signatures.split('\n')) {
    const [dash, name, encoded] = line.split(' ');
    if (dash !== '—' || name !== key.name || !encoded) continue;
    const signature = fromBase64(encoded);
    if (!isSame(signature.slice(0, 4), key.id)) continue;
    return crypto.subtle.verify('Ed25519', imported, signature.slice(4), join(text.encode(body)));
  }
  return false;
}
