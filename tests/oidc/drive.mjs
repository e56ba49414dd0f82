// Drives `examples/oidc_resource_server` with tokens of a certified OpenID provider, npm's oidc-provider: it signs in by
// client credentials for a resource (RFC 8707), rotates its keys, goes away and comes back.
//
//   node drive.mjs <the example's program>

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

const AUDIENCE = 'https://api.example.com/reports';
// Test values.
const CLIENT = 'web';
const SECRET = 'u4Zq7Kw2xRm9-of-a-client';

// One key of each kind that may sign, and one for encryption, which a verifier skips.
function keyPair(kid, alg) {
  const kinds = {
    RS256: ['rsa', { modulusLength: 2048 }],
    PS256: ['rsa', { modulusLength: 2048 }],
    ES256: ['ec', { namedCurve: 'P-256' }],
    EdDSA: ['ed25519', {}],
    'ECDH-ES': ['ec', { namedCurve: 'P-256' }],
  };
  const { privateKey } = generateKeyPairSync(...kinds[alg]);
  const use = alg === 'ECDH-ES' ? 'enc' : 'sig';
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use };
}

function provider(issuer, keys, signsWith) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: [{
      client_id: CLIENT,
      client_secret: SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    scopes: ['reports:read'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // Else it refuses to have a key for it.
      encryption: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'reports:read',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: signsWith } },
        }),
      },
    },
  });
}

// A server whose provider can be replaced, and which can go away and come back at the same port.
const server = createServer((request, answer) => server.provider(request, answer));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
let requests = 0;
function serve(keys, signsWith) {
  const callback = provider(issuer, keys, signsWith).callback();
  server.provider = (request, answer) => {
    requests += 1;
    return callback(request, answer);
  };
}

async function token(resource = AUDIENCE) {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT}:${SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'reports:read', resource }),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.access_token;
}

const first = keyPair('first', 'RS256');
const encryption = keyPair('for-encryption', 'ECDH-ES');
serve([first, encryption], 'RS256');

const example = spawn(process.argv[2], {
  env: { ...process.env, ISSUER: issuer, AUDIENCE, ADDR: '127.0.0.1:0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.on('exit', () => example.kill());
const [line] = await once(createInterface(example.stdout), 'line');
const api = line.replace('listening on ', '');

async function reports(bearer) {
  const headers = bearer ? { authorization: `Bearer ${bearer}` } : {};
  const answer = await fetch(`${api}/reports`, { headers });
  return { status: answer.status, text: await answer.text(), challenge: answer.headers.get('www-authenticate') };
}

async function check(what, promise) {
  await promise();
  console.log(`ok: ${what}`);
}

await check('the probe says that the keys are there', async () => {
  const answer = await fetch(`${api}/ready`);
  assert.deepEqual([answer.status, await answer.text()], [200, 'ready']);
});

await check('without a token nobody gets in, and is told how', async () => {
  const { status, challenge } = await reports();
  assert.equal(status, 401);
  assert.match(challenge, /^Bearer realm=/);
});

const good = await token();
await check('a token of the provider lets its client in', async () => {
  assert.deepEqual(await reports(good), { status: 200, text: `hello ${CLIENT}`, challenge: null });
});

await check('a token for another resource does not', async () => {
  const { status } = await reports(await token('https://api.example.com/other'));
  assert.equal(status, 401);
});

await check('a forged one does not', async () => {
  const [header, payload, signature] = good.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url');
  assert.equal((await reports([header, forged, signature].join('.'))).status, 401);
});

for (const alg of ['ES256', 'PS256', 'EdDSA']) {
  // Not twice within the cooldown of ten seconds.
  await new Promise((done) => setTimeout(done, 10_500));
  serve([keyPair(`next-${alg}`, alg), first, encryption], alg);
  await check(`a key for ${alg} that was just published is accepted by the first request`, async () => {
    assert.equal((await reports(await token())).status, 200);
  });
}

await check('10,000 unknown keys have the set loaded once a cooldown at most', async () => {
  const [, payload, signature] = good.split('.');
  const begun = Date.now();
  requests = 0;
  const counts = {};
  for (let round = 0; round < 100; round += 1) {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => {
      const header = { alg: 'RS256', typ: 'at+jwt', kid: `random-${round}-${n}` };
      return reports([Buffer.from(JSON.stringify(header)).toString('base64url'), payload, signature].join('.'));
    }));
    for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
    assert.equal((await reports(good)).status, 200, 'a good one meanwhile');
  }
  const cooldowns = 1 + Math.ceil((Date.now() - begun) / 10_000);
  assert.ok(requests <= 2 * cooldowns, `${requests} requests in ${cooldowns} cooldowns`);
  assert.deepEqual(Object.keys(counts).filter((status) => !['401', '429'].includes(status)), []);
  console.log(`    ${JSON.stringify(counts)}, ${requests} requests to the provider`);
});

server.closeAllConnections();
server.close();
await once(server, 'close');
await check('while the provider is away its tokens are judged by the keys that are held', async () => {
  assert.equal((await reports(good)).status, 200);
  assert.equal((await fetch(`${api}/ready`)).status, 200);
});

example.kill('SIGINT');
const [status] = await once(example, 'exit');
assert.equal(status, 0, 'the example ends by itself');
console.log('all ok');
process.exit(0);
