// Signing in as any SMART app does: authorisation code with PKCE against the node's own
// authorisation server, found by its configuration. Tokens live as long as the tab, and no longer
// than an hour; the node's page then knows the person still, and gives another without a question.
import { fhirBase, root } from '../node';
import { wipeSealed } from '../offline/sealed';
import { challengeOf, randomText } from './pkce';
import { type Room, scopes } from './rooms';

const CLIENT = 'portal';
const ASKED = 'carnet.asked';
const SESSION = 'carnet.session';
const RENEWED = 'carnet.renewed';
const RENEW_APART_MS = 60_000;
const HELD_MS = 12 * 3_600_000;
const SOON_MS = 30_000; // a token this close to its end is not worth beginning with

export interface Session {
  room: Room;
  token: string;
  until: number; // ms
  patient?: string; // id of the patient whose record this is
  user?: string; // "Practitioner/1", who is signed in, where a resource stands for them
  account?: string; // the id of their account
}

interface Asked {
  room: Room;
  state: string;
  verifier: string;
  back: string; // the address within the page
  tokens: string; // endpoint
  issuer: string;
}

interface Configuration {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint: string;
}

export class SignInProblem extends Error {}

function read<T>(name: string): T | undefined {
  const text = sessionStorage.getItem(name);
  return text === null ? undefined : JSON.parse(text);
}

export function currentSession(room: Room): Session | undefined {
  const session = read<Session>(SESSION);
  return session?.room === room && session.until - SOON_MS > Date.now() ? session : undefined;
}

// Without a connection there is no other token to be had: what was read with the last one is shown,
// for a long day.
export function heldSession(room: Room): Session | undefined {
  const session = read<Session>(SESSION);
  if (navigator.onLine || session?.room !== room) return undefined;
  return session.until + HELD_MS > Date.now() ? session : undefined;
}

async function configuration(): Promise<Configuration> {
  const reply = await fetch(`${fhirBase}/.well-known/smart-configuration`);
  if (!reply.ok) throw new SignInProblem(`smart-configuration: ${reply.status}`);
  return reply.json();
}

// Leaves for the node's page. Resolves only where it does not come to that.
export async function signIn(room: Room, language: string): Promise<void> {
  const node = await configuration();
  if (!root.href.startsWith(`${node.issuer}/`)) {
    // The node goes by one name: apps are led back there.
    location.replace(`${node.issuer}/${location.hash}`);
    return;
  }
  const asked: Asked = {
    room,
    state: randomText(),
    verifier: randomText(),
    back: location.hash,
    tokens: node.token_endpoint,
    issuer: node.issuer,
  };
  sessionStorage.setItem(ASKED, JSON.stringify(asked));
  const url = new URL(node.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT,
    redirect_uri: `${node.issuer}/`,
    scope: scopes[room],
    state: asked.state,
    aud: `${node.issuer}/fhir`,
    code_challenge: await challengeOf(asked.verifier),
    code_challenge_method: 'S256',
    ui_locales: language,
  }).toString();
  location.assign(url);
}

interface Tokens {
  access_token: string;
  expires_in: number;
  patient?: string;
  id_token?: string;
}

// Who an ID token is about. It came from the token endpoint itself, so its signature says nothing
// that the connection has not said (OpenID Connect Core, 3.1.3.7).
function whoOf(idToken: string | undefined): Pick<Session, 'user' | 'account'> {
  const payload = idToken?.split('.')[1];
  if (!payload) return {};
  const claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
  const { fhirUser: user, sub }: { fhirUser?: unknown; sub?: unknown } = claims;
  return {
    ...(typeof user === 'string' ? { user: user.split('/').slice(-2).join('/') } : {}),
    ...(typeof sub === 'string' ? { account: sub } : {}),
  };
}

async function redeem(asked: Asked, code: string): Promise<Session> {
  const reply = await fetch(asked.tokens, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: `${asked.issuer}/`,
      client_id: CLIENT,
      code_verifier: asked.verifier,
    }),
  });
  if (!reply.ok) throw new SignInProblem(`token: ${reply.status}`);
  const tokens: Tokens = await reply.json();
  return {
    room: asked.room,
    token: tokens.access_token,
    until: Date.now() + tokens.expires_in * 1000,
    ...(tokens.patient ? { patient: tokens.patient } : {}),
    ...whoOf(tokens.id_token),
  };
}

// Takes up what the node's page led back with; does nothing where this is no such return.
export async function finishSignIn(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const asked = read<Asked>(ASKED);
  if (!query.has('state')) return;
  history.replaceState(null, '', `${root.href}${asked?.back ?? ''}`);
  sessionStorage.removeItem(ASKED);
  if (!asked || asked.state !== query.get('state') || asked.issuer !== query.get('iss'))
    throw new SignInProblem('this answer belongs to no request of ours');
  const code = query.get('code');
  if (!code) throw new SignInProblem(query.get('error_description') ?? query.get('error') ?? '');
  sessionStorage.setItem(SESSION, JSON.stringify(await redeem(asked, code)));
}

export function forgetSession(): void {
  sessionStorage.removeItem(SESSION);
}

// For a token that has ended before its time: the page begins anew and gets another, without a
// question where the node's page knows the person still. Not twice in a row.
export function renewSession(): void {
  const last = read<number>(RENEWED) ?? 0;
  if (Date.now() - last < RENEW_APART_MS) return;
  sessionStorage.setItem(RENEWED, JSON.stringify(Date.now()));
  forgetSession();
  location.reload();
}

// The node does not know a token any more. Before its time, it was taken back: then what is kept on
// this device goes as well.
export async function sessionEnded(session: Session): Promise<void> {
  if (session.until - SOON_MS > Date.now()) await wipeSealed().catch(() => undefined);
  renewSession();
}

// Gives the token back, ends the browser's session, and forgets all that this tab holds. Who signed
// in with an identity from elsewhere is led on to leave there as well.
export async function signOut(): Promise<void> {
  const session = read<Session>(SESSION);
  sessionStorage.clear();
  await wipeSealed().catch(() => undefined); // a browser that keeps nothing
  try {
    location.replace(await leaveNode(session));
  } catch {
    location.replace(root.href); // without a connection the node is not told
  }
}

async function leaveNode(session: Session | undefined): Promise<string> {
  const node = await configuration();
  if (session)
    await fetch(node.revocation_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ token: session.token, client_id: CLIENT }),
    });
  const left = await fetch(new URL('auth/leave', root), { method: 'POST' });
  const said = left.ok ? ((await left.json()) as { next?: string }) : {};
  return said.next ?? root.href;
}
