// Texts about corrections, by the node's bounds (docs/LIMITS.md), which count bytes. Pure.
const SAID_MIN = 3;
const SAID_MAX = 4000;

export function isSaid(text: string): boolean {
  const bytes = new TextEncoder().encode(text.trim()).length;
  return bytes >= SAID_MIN && bytes <= SAID_MAX;
}
