// Requests to the node's FHIR API, on behalf of whoever is signed in.
import type { Session } from '../auth/session';
import { fhirBase } from '../node';
import type { Bundle, Parameter, Resource } from './types';

export const PAGES_MAX = 20; // of one list; past it the person is told that there is more

export type ProblemKind =
  | 'offline'
  | 'ended'
  | 'forbidden'
  | 'missing'
  | 'conflict'
  | 'busy'
  | 'unready'
  | 'failed';

export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    text: string,
    readonly status?: number, // of the node's answer
  ) {
    super(text);
  }
}

const kinds: Readonly<Record<number, ProblemKind>> = {
  401: 'ended',
  403: 'forbidden',
  404: 'missing',
  409: 'conflict',
  410: 'missing',
  412: 'conflict',
  429: 'busy',
  503: 'unready',
};

function isOffline(e: unknown): boolean {
  return e instanceof Problem && e.kind === 'offline';
}

function problemOf(status: number, text: string): Problem {
  return new Problem(kinds[status] ?? 'failed', `${status} ${text.slice(0, 500)}`, status);
}

// Keeps what was read for when there is no connection.
export interface Keeper {
  put: (path: string, text: string) => Promise<unknown>;
  get: (path: string) => Promise<string | undefined>;
}

export class Client {
  // `ended` is called when the node does not know the token any more.
  constructor(
    readonly session: Session,
    private readonly ended: () => void,
    private readonly keeper?: Keeper,
  ) {}

  keptBy(keeper: Keeper): Client {
    return new Client(this.session, this.ended, keeper);
  }

  private async send(path: string, more: RequestInit = {}): Promise<Response> {
    const headers = new Headers(more.headers);
    headers.set('Authorization', `Bearer ${this.session.token}`);
    if (!headers.has('Accept')) headers.set('Accept', 'application/fhir+json');
    let reply: Response;
    try {
      const url = path.startsWith('http') ? path : `${fhirBase}/${path}`;
      // Asked anew each time, and kept in no cache of the browser: it is of somebody.
      reply = await fetch(url, { ...more, headers, credentials: 'omit', cache: 'no-store' });
    } catch (e) {
      throw new Problem('offline', String(e));
    }
    if (reply.status === 401) this.ended();
    if (!reply.ok) throw problemOf(reply.status, await reply.text());
    return reply;
  }

  async get<T>(path: string): Promise<T> {
    if (!this.keeper) return (await this.send(path)).json();
    try {
      const text = await (await this.send(path)).text();
      // Nobody waits for it, and a browser that keeps nothing is one that works online.
      this.keeper.put(path, text).catch(() => undefined);
      return JSON.parse(text);
    } catch (e) {
      const kept = isOffline(e) ? await this.keeper.get(path) : undefined;
      if (kept === undefined) throw e;
      return JSON.parse(kept);
    }
  }

  // With the tag of the version that it is of, for writing on it.
  async tagged<T>(path: string): Promise<{ value: T; tag: string }> {
    const reply = await this.send(path);
    return { value: await reply.json(), tag: reply.headers.get('ETag') ?? '' };
  }

  async text(path: string): Promise<string> {
    return (await this.send(path, { headers: { Accept: '*/*' } })).text();
  }

  async blob(path: string, type: string): Promise<Blob> {
    return (await this.send(path, { headers: { Accept: type } })).blob();
  }

  // A page that the node writes, as a document without a window: nothing of it runs, loads or is
  // styled (a browser may say on its console that it applied no style). Only XMLHttpRequest parses
  // HTML into one; a DOMParser takes no text here, since the portal's policy lets no text become
  // code (Trusted Types). The type is the operation's own, which the node does not negotiate.
  async page(path: string): Promise<Document> {
    const asks = new XMLHttpRequest();
    asks.open('GET', `${fhirBase}/${path}`);
    asks.responseType = 'document';
    asks.setRequestHeader('Authorization', `Bearer ${this.session.token}`);
    asks.setRequestHeader('Accept', '*/*');
    await new Promise((done) => {
      asks.onloadend = done;
      asks.send();
    });
    if (asks.status === 0) throw new Problem('offline', path);
    if (asks.status === 401) this.ended();
    if (asks.status !== 200 || !asks.response) throw problemOf(asks.status, path);
    return asks.response;
  }

  // All resources of a list, page by page; `more` where it went on past PAGES_MAX.
  async all<T extends Resource>(path: string): Promise<{ list: T[]; more: boolean }> {
    const list: T[] = [];
    let next: string | undefined = path;
    for (let page = 0; next && page < PAGES_MAX; page++) {
      const bundle: Bundle<T> = await this.get(next);
      for (const entry of bundle.entry ?? []) if (entry.resource) list.push(entry.resource);
      next = bundle.link?.find((link) => link.relation === 'next')?.url;
    }
    return { list, more: next !== undefined };
  }

  async create<T extends Resource>(resource: T): Promise<T> {
    return this.write('POST', resource.resourceType, resource);
  }

  // Only while the version that was read is still the newest.
  async update<T extends Resource>(resource: T): Promise<T> {
    return this.write('PUT', `${resource.resourceType}/${resource.id}`, resource, {
      'If-Match': `W/"${resource.meta?.versionId}"`,
    });
  }

  async operation<T>(
    path: string,
    parameter: readonly Parameter[],
    more: Record<string, string> = {},
  ): Promise<T> {
    const reply = await this.send(path, {
      method: 'POST',
      body: JSON.stringify({ resourceType: 'Parameters', parameter }),
      headers: { 'Content-Type': 'application/fhir+json', ...more },
    });
    return reply.json();
  }

  async transaction(bundle: Bundle): Promise<Bundle> {
    return this.write('POST', '', bundle);
  }

  private async write<T extends Resource>(
    method: string,
    path: string,
    resource: T,
    more: Record<string, string> = {},
  ): Promise<T> {
    const reply = await this.send(path, {
      method,
      body: JSON.stringify(resource),
      headers: {
        'Content-Type': 'application/fhir+json',
        Prefer: 'return=representation',
        ...more,
      },
    });
    return reply.json();
  }
}
