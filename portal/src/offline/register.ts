// Has the pages kept for when there is no connection. A browser without service workers, or one
// that refuses them (a private window), goes on without.
import { root } from '../node';

// The one script address that may be made of text here, since it is no text of anybody's.
interface ScriptUrls {
  createPolicy: (
    name: string,
    rules: { createScriptURL: () => string },
  ) => { createScriptURL: (text: string) => unknown };
}

function workerAddress(): string {
  const url = new URL('worker.js', root).href;
  const types = (window as unknown as { trustedTypes?: ScriptUrls }).trustedTypes;
  if (!types) return url;
  const policy = types.createPolicy('carnet-worker', { createScriptURL: () => url });
  return policy.createScriptURL('') as string;
}

export async function keepPages(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register(workerAddress());
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage(performance.getEntriesByType('resource').map(({ name }) => name));
  } catch {
    // No worker: the pages work with a connection.
  }
}
