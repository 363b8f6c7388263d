// Addresses within the page: what stands behind '#', so that the node may stand behind any path.
import { useEffect, useState } from 'preact/hooks';

export type Route = readonly string[];

export function readRoute(hash: string): Route {
  return hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
}

export function go(path: string): void {
  location.hash = path;
}

// The current address; every change brings the new page's heading into view and into focus.
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener('hashchange', changed);
    changed(); // what changed before anybody listened
    return () => removeEventListener('hashchange', changed);
  }, []);
  return readRoute(hash);
}
