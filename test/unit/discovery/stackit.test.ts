// STACKIT: servers as targets, and tokens for what a service account has signed.

import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { endAll } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { type Asked, Reaction, testReplay } from '../../support/replay.js';

after(endAll);

const SERVERS = {
  items: [
    {
      id: 's-1',
      name: 'web',
      availabilityZone: 'eu01-1',
      machineType: 'g1.1',
      status: 'ACTIVE',
      powerStatus: 'RUNNING',
      labels: { 'my-label': 'v', number: 4, empty: '' },
      nics: [
        { networkName: 'my net', ipv4: '10.0.0.1' },
        { networkName: 'other', ipv4: '10.1.0.1', publicIp: '1.2.3.4' },
      ],
    },
    { id: 's-2', name: 'inner', nics: [{ networkName: 'net', ipv4: '10.0.0.2' }] },
    { id: 's-3', name: 'alone', nics: [] },
    { id: 's-4', name: 'bare' },
  ],
};

const TARGETS: Record<string, string>[] = [
  {
    __address__: '1.2.3.4:9100',
    __meta_stackit_availability_zone: 'eu01-1',
    __meta_stackit_id: 's-1',
    __meta_stackit_label_my_label: 'v',
    __meta_stackit_labelpresent_empty: 'true',
    __meta_stackit_labelpresent_my_label: 'true',
    __meta_stackit_name: 'web',
    __meta_stackit_power_status: 'RUNNING',
    __meta_stackit_private_ipv4_my_net: '10.0.0.1',
    __meta_stackit_private_ipv4_other: '10.1.0.1',
    __meta_stackit_project: 'p',
    __meta_stackit_public_ipv4: '1.2.3.4',
    __meta_stackit_status: 'ACTIVE',
    __meta_stackit_type: 'g1.1',
  },
  {
    __address__: '10.0.0.2:9100',
    __meta_stackit_id: 's-2',
    __meta_stackit_name: 'inner',
    __meta_stackit_private_ipv4_net: '10.0.0.2',
    __meta_stackit_project: 'p',
  },
];

const list = (host: string, authorization: string) => (asked: Asked) => {
  if (asked.headers.authorization !== authorization) return new Reaction({ message: 'who?' }, { status: 401 });
  const isList = asked.path === `${host}/v1/projects/p/servers` && asked.query.get('details') === 'true';
  return isList ? SERVERS : undefined;
};

testReplay({
  name: 'stackit, as <http_config> says',
  section: 'stackit_sd_configs: [{project: p, port: 9100, region: eu02, authorization: {credentials: t}}]',
  reply: list('/iaas.api.eu02.stackit.cloud', 'Bearer t'),
  want: TARGETS,
});

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const account = { kid: 'key-1', iss: 'me@sa', sub: 'subject', aud: 'https://stackit' };

/** Gives a token for what the account has signed, and servers for the token. */
function withToken(asked: Asked): unknown {
  if (asked.path !== '/service-account.api.stackit.cloud/token') return list('', 'Bearer given')(asked);
  const form = new URLSearchParams(asked.body);
  const [head, claims, signature] = form.get('assertion')!.split('.');
  const isOurs = createVerify('RSA-SHA512').update(`${head}.${claims}`).verify(publicKey, signature!, 'base64url');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  assert.deepEqual(read(head!), { alg: 'RS512', typ: 'JWT', kid: 'key-1' });
  const { iss, sub, aud, jti, iat, exp } = read(claims!);
  assert.deepEqual({ iss, sub, aud }, { iss: account.iss, sub: account.sub, aud: account.aud });
  assert.ok(/^[0-9a-f]{32}$/.test(jti) && exp === iat + 600);
  return isOurs ? { access_token: 'given', expires_in: 3600 } : new Reaction({}, { status: 403 });
}

const folder = emptyFolder();
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const whole = write('key.json', JSON.stringify({ credentials: { ...account, privateKey } }));
const bare = JSON.stringify({ credentials: account });
const pem = write('key.pem', privateKey);
const credentials = write('credentials.json', JSON.stringify({ STACKIT_PRIVATE_KEY_PATH: pem }));

const accounts: [name: string, keys: string][] = [
  ['one file', `service_account_key_path: ${whole}`],
  ['the key in a file beside it', `service_account_key: '${bare}', private_key_path: ${pem}`],
  ['the key by a file of credentials', `service_account_key: '${bare}', credentials_file_path: ${credentials}`],
];

for (const [name, keys] of accounts) {
  testReplay({
    name: `stackit, a service account: ${name}`,
    section: `stackit_sd_configs: [{project: p, port: 9100, endpoint: "$URL/", ${keys}}]`,
    reply: withToken,
    want: TARGETS,
    check: (asked) => assert.equal(asked.filter(({ path }) => path.endsWith('/token')).length, 1),
  });
}
