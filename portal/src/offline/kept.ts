// Which addresses the service worker keeps, and how. Pure.
export type How = 'lasting' | 'newest' | undefined;

const NEWEST = ['', 'icon.svg', 'manifest.webmanifest', 'portal.json'];

// `base`: the node's own address, with '/' at its end.
export function isKept(address: string, base: string): How {
  if (!address.startsWith(base)) return undefined;
  const path = shellOf(address).slice(base.length);
  if (/^assets\/[\w.-]+$/.test(path)) return 'lasting';
  return NEWEST.includes(path) ? 'newest' : undefined;
}

// Without what is asked of a page (the answer to a sign-in is for its own script alone).
export function shellOf(address: string): string {
  const url = new URL(address);
  return url.origin + url.pathname;
}
