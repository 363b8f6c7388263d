// A person signs in to an app with a passkey, in a browser whose authenticator is Chromium's
// virtual one (Web Authentication Level 2, 11), and without scripts as before.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Person, launch, root } from './browser.mjs';

const app = new URL(process.env.CARNET_APP); // its address, where a server of this test's answers
const back = `${app.href}back`;
const authorize = `${root}/auth/authorize?${new URLSearchParams({ response_type: 'code',
  client_id: 'browser', redirect_uri: back, scope: 'openid patient/*.rs', state: 's',
  aud: `${root}/fhir`, code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' })}`;
const server = createServer((request, reply) => {
  reply.setHeader('content-type', 'text/html');
  reply.end('<!doctype html><title>app</title><h1>back</h1>');
});
let browser;

before(async () => {
  await new Promise((done) => { server.listen(app.port, app.hostname, done); });
  browser = await launch();
});
after(async () => {
  await browser.close();
  server.close();
});

async function withPassword(page) {
  await page.goto(authorize);
  await page.fill('#login', 'ann');
  await page.fill('#password', process.env.CARNET_PASSWORD);
  await page.locator('button', { hasText: 'Continue' }).click();
  await page.locator('button[value=approve]').waitFor();
}

// What leads back to the app.
async function approved(page) {
  await page.locator('button[value=approve]').click();
  await page.waitForURL(`${back}**`);
  return new URL(page.url()).searchParams;
}

async function authenticator(person) {
  const cdp = await person.context.newCDPSession(person.page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', { options: {
    protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
    isUserVerified: true, automaticPresenceSimulation: true } });
  return (isUserVerified) =>
    cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
}

test('a passkey is made, signs in, and is nothing without the person', async () => {
  const person = await Person.begin(browser);
  const { page } = person;
  const verified = await authenticator(person);
  await withPassword(page);
  await page.goto(`${root}/auth/account`);
  await person.look('account');
  await page.locator('button', { hasText: 'Add a passkey' }).click();
  await page.locator('form[data-passkey=make] button').click();
  await page.locator('button', { hasText: 'Remove the passkey of' }).waitFor();
  await person.look('account-passkey');
  await page.locator('button', { hasText: 'Sign out', exact: false }).first().click();
  await page.goto(authorize);
  await person.look('sign-in');
  await verified(false);
  await page.locator('form[data-passkey=use] button').click();
  await page.locator('[role=alert]:visible').waitFor();
  await verified(true);
  await page.locator('form[data-passkey=use] button').click();
  const said = await approved(page);
  assert.equal(said.get('state'), 's');
  assert.ok(said.get('code'));
  person.complaints = person.complaints.filter((text) => !text.includes(app.href));
  await person.end();
});

test('without scripts there is no passkey, and all else', async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(authorize);
  assert.equal(await page.locator('form[data-passkey=use]').isVisible(), false);
  await withPassword(page);
  assert.ok((await approved(page)).get('code'));
  await context.close();
});
