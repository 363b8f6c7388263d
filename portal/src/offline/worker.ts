// The service worker: keeps the pages themselves, so that they open without a connection. What they
// show of anybody never passes through here: requests below /fhir, /carnet and /auth are not
// answered, and so not kept.
import { isKept, shellOf } from './kept';

const scope = self as unknown as ServiceWorkerScope;

// What TypeScript's DOM library leaves to another library that cannot stand beside it.
interface ServiceWorkerScope {
  registration: { scope: string };
  clients: { claim: () => Promise<void> };
  skipWaiting: () => Promise<void>;
  addEventListener: <E>(type: string, listener: (event: E) => void) => void;
}

interface Waits {
  waitUntil: (work: Promise<unknown>) => void;
}

interface FetchEvent extends Waits {
  request: Request;
  respondWith: (reply: Promise<Response>) => void;
}

const CACHE = 'carnet-pages-1';
const base = scope.registration.scope;

// Files whose names change with their bytes: what was kept once is right for ever.
async function lasting(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const reply = await fetch(request);
  if (reply.ok) await cache.put(request, reply.clone());
  return reply;
}

// The page and what the node says of itself: from the node while it answers. A page that names
// other files than before ends those that were kept for it.
async function newest(request: Request, key: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  let reply: Response;
  try {
    reply = await fetch(request);
  } catch (e) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw e;
  }
  if (reply.ok) {
    if (key === base) await forgetOthers(cache, await reply.clone().text());
    await cache.put(key, reply.clone());
  }
  return reply;
}

async function forgetOthers(cache: Cache, page: string): Promise<void> {
  const before = await (await cache.match(base))?.text();
  if (before === undefined || before === page) return;
  for (const request of await cache.keys()) await cache.delete(request);
}

scope.addEventListener<Waits>('install', (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener<Waits>('activate', (event) => event.waitUntil(scope.clients.claim()));

// What the page had loaded before there was a worker.
scope.addEventListener<Waits & { data: unknown }>('message', (event) => {
  const urls = Array.isArray(event.data) ? event.data.map(String) : [];
  const work = urls.filter((url) => isKept(url, base) === 'lasting');
  event.waitUntil(
    Promise.all([newest(new Request(base), base), ...work.map((url) => lasting(new Request(url)))]),
  );
});

scope.addEventListener<FetchEvent>('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET') return;
  const how = isKept(request.url, base);
  if (how === 'lasting') event.respondWith(lasting(request));
  if (how === 'newest') event.respondWith(newest(request, shellOf(request.url)));
});
