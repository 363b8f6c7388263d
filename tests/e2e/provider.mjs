// A provider of identities as others make them: oidc-provider, with two people and no screens.
// Prints its issuer; then reads the node's root, a line, and serves until its input ends.
import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import readline from 'node:readline';
import Provider from 'oidc-provider';

const people = {
  anna: { national_id: '1234', name: 'Anna' },
  nobody: { national_id: '9999', name: 'Nobody' },
};

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const keys = [{ ...privateKey.export({ format: 'jwk' }), kid: 'own', use: 'sig' }];

function configuration(root) {
  const client = (id, more) => ({ client_id: id, redirect_uris: [`${root}/auth/eid/back/${id}`],
    post_logout_redirect_uris: [`${root}/`], ...more });
  return {
    clients: [
      client('shared', { client_secret: 's3cret' }),
      client('keyed', { token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES384', jwks_uri: `${root}/auth/jwks`,
        id_token_signed_response_alg: 'PS256' }),
    ],
    jwks: { keys },
    claims: { openid: ['sub', 'acr'], national: ['national_id'], profile: ['name'] },
    scopes: ['openid', 'national', 'profile'],
    acrValues: ['high', 'low'],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'],
      idTokenSigningAlgValues: ['RS256', 'PS256'] },
    cookies: { keys: ['only for tests'] },
    ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    interactions: { url: (ctx, interaction) => `/as/${interaction.uid}` },
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid national profile');
      await grant.save();
      return grant;
    },
  };
}

// /as/UID?person=anna&acr=high signs that person in, ?cancel=1 does not.
async function interact(provider, request, reply) {
  const query = new URL(request.url, 'http://x').searchParams;
  const result = query.has('cancel')
    ? { error: 'access_denied', error_description: 'cancelled' }
    : { login: { accountId: query.get('person'), acr: query.get('acr') } };
  await provider.interactionFinished(request, reply, result, { mergeWithLastSubmission: false });
}

const server = http.createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  console.log(issuer);
  const lines = readline.createInterface({ input: process.stdin });
  lines.once('line', (root) => {
    const provider = new Provider(issuer, configuration(root));
    const answer = provider.callback();
    provider.on('server_error', (ctx, error) => console.error(error));
    server.on('request', (request, reply) => {
      if (!request.url.startsWith('/as/')) return answer(request, reply);
      return request.url.includes('?')
        ? interact(provider, request, reply).catch((error) => {
          reply.statusCode = 500;
          reply.end(String(error));
        })
        : reply.end('who?');
    });
    console.log('ready');
  });
  lines.once('close', () => process.exit(0));
});
