// openid-client and oauth4webapi, libraries of others, sign a person in and read a record.
// A fetch with cookies stands for the browser: the pages need no more.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';

const root = process.env.CARNET_ROOT;
const redirect = 'http://127.0.0.1:9/back';
const scope = 'openid fhirUser launch/patient patient/*.rs offline_access';

function hidden(page) {
  const fields = {};
  for (const [, name, value] of page.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)) {
    fields[name] = value;
  }
  return fields;
}

// Follows an authorisation URL as a person does; the URL that leads back.
async function browse(url) {
  const cookies = new Map();
  const send = async (to, fields) => {
    const headers = { cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') };
    if (fields) headers.origin = root;
    const reply = await fetch(to, { method: fields ? 'POST' : 'GET', redirect: 'manual', headers,
      body: fields && new URLSearchParams(fields) });
    for (const line of reply.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      cookies.set(name, value);
    }
    return reply;
  };
  let page = await (await send(url)).text();
  page = await (await send(`${root}/auth/step`, { ...hidden(page), login: 'ann',
    password: process.env.CARNET_PASSWORD })).text();
  const reply = await send(`${root}/auth/step`, { ...hidden(page), do: 'approve' });
  assert.equal(reply.status, 303);
  return new URL(reply.headers.get('location'));
}

async function discover(id, secret) {
  return oidc.discovery(new URL(root), id, secret, undefined,
    { execute: [oidc.allowInsecureRequests] });
}

async function signIn(config, options, extra = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const parameters = { redirect_uri: redirect, scope, aud: `${root}/fhir`, nonce: 'n', state: 's',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256' };
  const url = extra.pushed
    ? await oidc.buildAuthorizationUrlWithPAR(config, parameters)
    : oidc.buildAuthorizationUrl(config, parameters);
  return oidc.authorizationCodeGrant(config, await browse(url),
    { pkceCodeVerifier, expectedNonce: 'n', expectedState: 's' }, undefined, options);
}

test('openid-client signs in, reads, refreshes and revokes', async () => {
  const config = await discover('app');
  const tokens = await signIn(config);
  assert.equal(tokens.claims().fhirUser, `${root}/fhir/Patient/ann`);
  assert.equal(tokens.patient, 'ann');
  const read = await oidc.fetchProtectedResource(config, tokens.access_token,
    new URL(`${root}/fhir/Patient/ann`), 'GET');
  assert.equal((await read.json()).id, 'ann');
  const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.equal(info.sub, tokens.claims().sub);
  const more = await oidc.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(more.refresh_token, tokens.refresh_token);
  await assert.rejects(oidc.refreshTokenGrant(config, tokens.refresh_token),
    { error: 'invalid_grant' });
});

test('openid-client pushes its request and proves possession of a key', async () => {
  const config = await discover('secretive', process.env.CARNET_SECRET);
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
  const tokens = await signIn(config, { DPoP }, { pushed: true });
  assert.equal(tokens.token_type, 'dpop');
  const read = await oidc.fetchProtectedResource(config, tokens.access_token,
    new URL(`${root}/fhir/Patient/ann`), 'GET', undefined, undefined, { DPoP });
  assert.equal(read.status, 200);
  const said = await oidc.tokenIntrospection(config, tokens.access_token);
  assert.equal(said.active, true);
  await oidc.tokenRevocation(config, tokens.access_token);
  assert.equal((await oidc.tokenIntrospection(config, tokens.access_token)).active, false);
});

test('oauth4webapi gets a token for a service by its key', async () => {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(root);
  const as = await oauth.processDiscoveryResponse(issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
  const jwk = JSON.parse(process.env.CARNET_KEY);
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-384' },
    false, ['sign']);
  const client = { client_id: 'loader' };
  const reply = await oauth.clientCredentialsGrantRequest(as, client,
    oauth.PrivateKeyJwt({ key, kid: jwk.kid }), new URLSearchParams({ scope: 'system/Patient.rs' }),
    insecure);
  const token = await oauth.processClientCredentialsResponse(as, client, reply);
  const read = await fetch(`${root}/fhir/Patient`,
    { headers: { authorization: `Bearer ${token.access_token}` } });
  assert.equal((await read.json()).total, 2);
});
