// Visits on their way: each is sealed on this device before it is sent, and leaves it when the node
// has it. What waits is sent when the connection is back, one tab at a time. Sent twice, it is
// stored once.
import { type Client, Problem } from '../fhir/client';
import type { Form } from '../forms/types';
import { Sealed } from '../offline/sealed';
import { loadAhead, OWN } from './forms-of';
import { sendVisit } from './send';
import type { Visit } from './visit-bundle';

const READABLE_MS = 12 * 3_600_000; // a long day, on which what was read is readable
const DRAFT_MS = 7 * 24 * 3_600_000; // what nobody came back to
const AGAIN_MS = 60_000;
const LOCK = 'carnet-outbox';

export interface Waiting {
  visit: Visit;
  isOwnForm: boolean;
  name: string; // whose visit, as the page says it
  refused?: string; // kind of the problem why the node did not take it
}

export interface LinkState {
  isOffline: boolean;
  waiting: readonly Waiting[];
}

type Listener = (state: LinkState) => void;

export class Outbox {
  private state: LinkState = { isOffline: !navigator.onLine, waiting: [] };
  private readonly listeners = new Set<Listener>();

  private constructor(
    private readonly sealed: Sealed,
    readonly client: Client,
  ) {}

  // `client`: of whoever is signed in; the one of the result answers from what was read before
  // where there is no connection.
  static async of(client: Client): Promise<Outbox> {
    const sealed = await Sealed.of(client.session.user ?? '');
    await sealed.forget('answer', Date.now() - READABLE_MS);
    await sealed.forget('draft', Date.now() - DRAFT_MS);
    let box: Outbox | undefined;
    const kept = client.keptBy({
      put: async (path, text) => {
        box?.seen(true);
        await sealed.put('answer', path, text);
      },
      get: async (path) => {
        box?.seen(false);
        const found = await sealed.get<string>('answer', path);
        return found && found.at > Date.now() - READABLE_MS ? found.value : undefined;
      },
    });
    box = new Outbox(sealed, kept);
    await box.count();
    return box;
  }

  private tell(change: Partial<LinkState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener(this.state);
  }

  private seen(isThere: boolean): void {
    if (this.state.isOffline === isThere) this.tell({ isOffline: !isThere });
  }

  private async count(): Promise<void> {
    const list = await this.sealed.list<Waiting>('visit');
    this.tell({ waiting: list.map(({ value }) => value) });
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    listener(this.state);
    return () => this.listeners.delete(listener);
  }

  // Sends while somebody listens to the connection. The result ends that.
  run(): () => void {
    const again = () => {
      this.flush();
    };
    const back = () => {
      this.seen(true);
      again();
    };
    const lost = () => this.tell({ isOffline: true });
    const timer = setInterval(() => this.state.waiting.length > 0 && again(), AGAIN_MS);
    addEventListener('online', back);
    addEventListener('offline', lost);
    again();
    loadAhead(this.client).catch(() => undefined); // without a connection, when it is back
    return () => {
      clearInterval(timer);
      removeEventListener('online', back);
      removeEventListener('offline', lost);
    };
  }

  // Sends a visit, or keeps it until it can be: true where the node has it. What the node refuses
  // is thrown, and stays with whoever typed it.
  async send(visit: Visit, form: Form, name: string): Promise<boolean> {
    const waiting: Waiting = { visit, isOwnForm: form === OWN, name };
    const isKept = await this.sealed.put('visit', visit.response, waiting).catch(() => false);
    try {
      await sendVisit(this.client, visit, waiting.isOwnForm ? OWN : undefined);
    } catch (e) {
      if (isKept && e instanceof Problem && isPassing(e)) {
        this.tell({ isOffline: e.kind === 'offline' });
        await this.count();
        return false;
      }
      await this.drop(visit.response);
      throw e;
    }
    await this.drop(visit.response);
    return true;
  }

  async drop(response: string): Promise<void> {
    await this.sealed.remove('visit', response);
    await this.count();
  }

  private async sendOne(waiting: Waiting): Promise<boolean> {
    try {
      await sendVisit(this.client, waiting.visit, waiting.isOwnForm ? OWN : undefined);
      await this.sealed.remove('visit', waiting.visit.response);
      return true;
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      if (isPassing(e)) return false;
      await this.sealed.put('visit', waiting.visit.response, { ...waiting, refused: e.kind });
      return true;
    }
  }

  // `refused`: also what the node did not take before.
  async flush(refused?: string): Promise<void> {
    await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
      if (!lock) return;
      const list = await this.sealed.list<Waiting>('visit');
      for (const { value } of list) {
        if (value.refused && value.visit.response !== refused) continue;
        if (!(await this.sendOne(value))) break;
      }
    });
    await this.count();
  }

  // ---- drafts: what is being typed ----

  keepDraft(what: string, value: unknown): Promise<boolean> {
    return this.sealed.put('draft', what, value);
  }

  async draft<T>(what: string): Promise<{ value: T; at: number } | undefined> {
    return this.sealed.get<T>('draft', what);
  }

  dropDraft(what: string): Promise<void> {
    return this.sealed.remove('draft', what);
  }
}

// What ends by itself: no connection, a node that is busy, a token that has ended.
function isPassing({ kind }: Problem): boolean {
  return kind === 'offline' || kind === 'busy' || kind === 'unready' || kind === 'ended';
}
