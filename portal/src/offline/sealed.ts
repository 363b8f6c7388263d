// What is kept on this device for one who works through a lost connection: sealed by a key of their
// own (AES-GCM), which no script can read out, and which is gone when they sign out. What the rows
// are called by is hidden as well. docs/decisions/0078-offline-care.md says what that protects.

const DATABASE = 'carnet-sealed';
const ROWS_MAX = 1000; // of one user; the oldest go first
const ROW_BYTES_MAX = 4_000_000;

export type Kind = 'answer' | 'draft' | 'visit';

interface Row {
  name: string; // what it is called by, as a keyed hash
  user: string;
  kind: Kind;
  at: number; // ms
  iv: Uint8Array<ArrayBuffer>;
  bytes: ArrayBuffer;
}

interface Keys {
  user: string;
  seal: CryptoKey;
  hash: CryptoKey;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('keys', { keyPath: 'user' });
    request.result.createObjectStore('rows', { keyPath: 'name' }).createIndex('user', 'user');
  };
  return done(request);
}

async function makeKeys(user: string): Promise<Keys> {
  const [seal, hash] = await Promise.all([
    crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
    crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
  ]);
  return { user, seal, hash };
}

// Those that another tab kept meanwhile, or these.
async function keepKeys(base: IDBDatabase, made: Keys): Promise<Keys> {
  const keys = base.transaction('keys', 'readwrite').objectStore('keys');
  const other: Keys | undefined = await done(keys.get(made.user));
  if (!other) await done(keys.put(made));
  return other ?? made;
}

function asBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

export class Sealed {
  private constructor(
    private readonly base: IDBDatabase,
    private readonly keys: Keys,
  ) {}

  static async of(user: string): Promise<Sealed> {
    const base = await open();
    const kept: Keys | undefined = await done(
      base.transaction('keys').objectStore('keys').get(user),
    );
    const keys = kept ?? (await keepKeys(base, await makeKeys(user)));
    return new Sealed(base, keys);
  }

  private rows(mode: IDBTransactionMode): IDBObjectStore {
    return this.base.transaction('rows', mode).objectStore('rows');
  }

  private async nameOf(kind: Kind, what: string): Promise<string> {
    const text = asBytes(`${kind}\n${what}`);
    const hash = new Uint8Array(await crypto.subtle.sign('HMAC', this.keys.hash, text));
    return btoa(String.fromCharCode(...hash));
  }

  // False where it is too long to be kept.
  async put(kind: Kind, what: string, value: unknown): Promise<boolean> {
    const text = asBytes(JSON.stringify({ what, value }));
    if (text.length > ROW_BYTES_MAX) return false;
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const name = await this.nameOf(kind, what);
    // Bound to its name: a row in another's place does not open.
    const how = { name: 'AES-GCM', iv, additionalData: asBytes(name) };
    const bytes = await crypto.subtle.encrypt(how, this.keys.seal, text);
    const row: Row = { name, user: this.keys.user, kind, at: Date.now(), iv, bytes };
    await done(this.rows('readwrite').put(row));
    await this.trim();
    return true;
  }

  private async opened<T>(row: Row): Promise<{ what: string; value: T; at: number } | undefined> {
    const how = { name: 'AES-GCM', iv: row.iv, additionalData: asBytes(row.name) };
    try {
      const bytes = await crypto.subtle.decrypt(how, this.keys.seal, row.bytes);
      return { ...JSON.parse(new TextDecoder().decode(bytes)), at: row.at };
    } catch {
      return undefined; // of a key that is gone
    }
  }

  async get<T>(kind: Kind, what: string): Promise<{ value: T; at: number } | undefined> {
    const row: Row | undefined = await done(
      this.rows('readonly').get(await this.nameOf(kind, what)),
    );
    return row && this.opened<T>(row);
  }

  async list<T>(kind: Kind): Promise<{ what: string; value: T; at: number }[]> {
    const rows = (await this.own()).filter((row) => row.kind === kind);
    const found = await Promise.all(rows.map((row) => this.opened<T>(row)));
    return found.filter((one) => one !== undefined);
  }

  async remove(kind: Kind, what: string): Promise<void> {
    await done(this.rows('readwrite').delete(await this.nameOf(kind, what)));
  }

  // Oldest first.
  private async own(): Promise<Row[]> {
    const rows: Row[] = await done(this.rows('readonly').index('user').getAll(this.keys.user));
    return rows.sort((a, b) => a.at - b.at);
  }

  // What was read may be read again; what waits to be sent is never what goes.
  private async trim(): Promise<void> {
    const rows = this.rows('readwrite');
    const count = await done(rows.index('user').count(this.keys.user));
    if (count <= ROWS_MAX) return;
    const old = (await this.own()).filter(({ kind }) => kind === 'answer');
    for (const { name } of old.slice(0, count - ROWS_MAX))
      await done(this.rows('readwrite').delete(name));
  }

  // What was read before a time is not readable any longer.
  async forget(kind: Kind, before: number): Promise<void> {
    for (const row of await this.own())
      if (row.kind === kind && row.at < before) await done(this.rows('readwrite').delete(row.name));
  }
}

// How many visits of anybody wait on this device to be sent.
export async function visitsWaiting(): Promise<number> {
  const base = await open();
  const rows: Row[] = await done(base.transaction('rows').objectStore('rows').getAll());
  base.close();
  return rows.filter(({ kind }) => kind === 'visit').length;
}

// All of this device, of everybody: keys first, without which the rest is noise.
export async function wipeSealed(): Promise<void> {
  const base = await open();
  for (const store of ['keys', 'rows'])
    await done(base.transaction(store, 'readwrite').objectStore(store).clear());
  base.close();
}
