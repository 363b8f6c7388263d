// Where the node is, seen from this page, and what it says of itself.

export const root = new URL('.', document.baseURI);
export const fhirBase = new URL('fhir', root).href;

export interface NodeInfo {
  version: string;
  open: boolean; // nobody signs in here
  demo: boolean; // synthetic people, entered by links
  auditKey?: string; // the public key of its audit log, as a C2SP vkey
}

export async function fetchNode(): Promise<NodeInfo> {
  const reply = await fetch(new URL('portal.json', root));
  if (!reply.ok) throw new Error(`portal.json: ${reply.status}`);
  return reply.json();
}
