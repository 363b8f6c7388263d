// What is asked for on the page of reasons. Pure.

export interface Asked {
  resource: string; // "Patient/123"
  login: string;
}

const RESOURCE = /^([A-Z][A-Za-z]{1,63})\/([A-Za-z0-9.-]{1,64})$/;

// An address within the node, also one copied with more in front; undefined where it is none.
export function readAsked(resource: string, login: string): Asked | undefined {
  const parts = resource.trim().split('/').slice(-2).join('/');
  if (!RESOURCE.test(parts) || !login.trim()) return undefined;
  return { resource: parts, login: login.trim().toLowerCase() };
}
