// Checks, in this browser and with nobody's word for it, that an entry is in the audit log: the way
// from the entry to the tree's root (RFC 9162, 2.1.3.2), and the log's signature of that root
// (C2SP tlog-proof). docs/formats/audit.md says what a leaf is.
import { fromBase64, isSame, NoProof, sha256 } from './bytes';
import { type Key, readHead } from './note';

const FORMAT = 'c2sp.org/tlog-proof@v1';
const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

export async function rootOfPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Promise<Uint8Array> {
  let at = index;
  let last = size - 1;
  let hash = leaf;
  if (index >= size) throw new NoProof('the entry lies behind the head');
  for (const sibling of path) {
    if (last === 0) throw new NoProof('the path is too long');
    if (at % 2 === 1 || at === last) {
      hash = await sha256(NODE, sibling, hash);
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await sha256(NODE, hash, sibling);
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) throw new NoProof('the path is too short');
  return hash;
}

export interface Checked {
  index: number; // the entry's number in the log
  size: number; // entries that the signed head speaks for
}

// Throws NoProof where anything does not hold.
export async function checkProof(proof: string, key: Key): Promise<Checked> {
  const gap = proof.indexOf('\n\n');
  const lines = proof.slice(0, gap).split('\n');
  const [format, extra = '', number = '', ...path] = lines;
  if (gap < 0 || format !== FORMAT || !extra.startsWith('extra ') || !number.startsWith('index '))
    throw new NoProof('this is no proof');
  const index = Number(number.slice(6));
  const head = await readHead(proof.slice(gap + 2), key);
  const leaf = await sha256(LEAF, await sha256(fromBase64(extra.slice(6))));
  const root = await rootOfPath(leaf, index, head.size, path.map(fromBase64));
  if (!Number.isSafeInteger(index) || !isSame(root, head.hash))
    throw new NoProof('the entry is not in the log');
  return { index, size: head.size };
}
