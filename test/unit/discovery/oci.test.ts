// Oracle's cloud: signatures that a server checks with the public key, compartments, pages, what may not be looked at.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPublicKey, createVerify, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { realmOf } from '../../../src/discovery/kinds/oci/credentials.js';
import { discover, endAll } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { type Asked, Reaction, replay, testReplay } from '../../support/replay.js';
import { eventually } from '../../support/servers.js';

after(endAll);

const folder = emptyFolder();
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const PASSPHRASE = 'of the key';
const keyFile = join(folder, 'key.pem');
const passphraseFile = join(folder, 'passphrase');
writeFileSync(
  keyFile,
  privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE }),
);
writeFileSync(passphraseFile, `${PASSPHRASE}\n`);

const user = `tenancy: T, user: U, fingerprint: "aa:bb", key_file: ${keyFile}, key_passphrase_file: ${passphraseFile}`;
const COMPUTE = '/iaas.eu-frankfurt-1.oraclecloud.com/20160918';
const IDENTITY = '/identity.eu-frankfurt-1.oci.oraclecloud.com/20160918';

/** Whether a request that was rerouted has the signature of a key. */
function isSigned({ method, target, headers }: Asked, keyId: string, key: KeyObject): boolean {
  const given = String(headers.authorization);
  const [, host, path] = /^\/([^/]+)(.*)$/.exec(target)!;
  const values = new Map([
    ['(request-target)', `${method.toLowerCase()} ${path}`],
    ['host', host!],
  ]);
  const names = /headers="([^"]*)"/.exec(given)?.[1]?.split(' ') ?? [];
  const text = names.map((name) => `${name}: ${values.get(name) ?? headers[name]}`).join('\n');
  const signature = /signature="([^"]*)"/.exec(given)?.[1] ?? '';
  const isKey = given.startsWith(`Signature version="1",keyId="${keyId}",algorithm="rsa-sha256",`);
  return isKey && createVerify('RSA-SHA256').update(text).verify(key, signature, 'base64');
}

const paged = (items: unknown[], next?: string) =>
  new Reaction(items, next === undefined ? {} : { headers: { 'opc-next-page': next } });

const FULL = {
  id: 'i-1',
  compartmentId: 'child',
  displayName: 'web',
  lifecycleState: 'RUNNING',
  shape: 'VM.Standard.E4.Flex',
  availabilityDomain: 'AD-1',
  faultDomain: 'FAULT-DOMAIN-1',
  region: 'eu-frankfurt-1',
  imageId: 'image',
  freeformTags: { 'app owner': 'me' },
  definedTags: { Operations: { 'Cost Center': 42, isOn: true, nested: { a: 1 } } },
};

function oci(asked: Asked): unknown {
  const { path, query } = asked;
  const [compartment, instance] = [query.get('compartmentId'), query.get('instanceId')];
  switch (path) {
    case `${IDENTITY}/compartments`:
      if (query.get('accessLevel') !== 'ACCESSIBLE') return undefined;
      if (compartment === 'closed') return new Reaction({ message: 'no' }, { status: 404 });
      if (compartment !== 'T') return [];
      return query.get('page') === 'p2'
        ? paged([{ id: 'closed', lifecycleState: 'ACTIVE' }])
        : paged(
            [
              { id: 'child', lifecycleState: 'ACTIVE' },
              { id: 'old', lifecycleState: 'DELETED' },
              { id: 'T', lifecycleState: 'ACTIVE' },
            ],
            'p2',
          );
    case `${COMPUTE}/instances`:
      if (compartment === 'old') return undefined;
      if (compartment === 'closed')
        return [
          { id: 'hidden', compartmentId: 'closed' },
          { id: 'v6', compartmentId: 'closed' },
        ];
      if (compartment === 'T') return [];
      return query.get('page') === 'more' ? paged([FULL]) : paged([{ id: 'no-net', compartmentId: 'child' }], 'more');
    case `${COMPUTE}/vnicAttachments`:
      if (instance === 'hidden') return new Reaction({ message: 'NotAuthorizedOrNotFound' }, { status: 404 });
      if (instance === 'v6') return [{ vnicId: 'vnic-6', lifecycleState: 'ATTACHED' }];
      if (instance === 'no-net')
        return [{ vnicId: 'gone', lifecycleState: 'DETACHED' }, { lifecycleState: 'ATTACHED' }];
      return ['vnic-2', 'vnic-1'].map((vnicId) => ({ vnicId, lifecycleState: 'ATTACHED' }));
    case `${COMPUTE}/vnics/vnic-1`:
      return {
        id: 'vnic-1',
        isPrimary: true,
        privateIp: '10.0.0.1',
        publicIp: '1.2.3.4',
        hostnameLabel: 'web',
        ipv6Addresses: ['fd::2', 'fd::1'],
      };
    case `${COMPUTE}/vnics/vnic-2`:
      return { id: 'vnic-2', isPrimary: false, privateIp: '10.9.9.9' };
    case `${COMPUTE}/vnics/vnic-6`:
      return { id: 'vnic-6', isPrimary: true, ipv6Addresses: ['fd::9'] };
    default:
      return undefined;
  }
}

const FULL_TARGET: Record<string, string> = {
  __address__: '10.0.0.1:9100',
  __meta_oci_availability_domain: 'AD-1',
  __meta_oci_compartment_id: 'child',
  __meta_oci_defined_tag_Operations_Cost_Center: '42',
  __meta_oci_defined_tag_Operations_isOn: 'true',
  __meta_oci_fault_domain: 'FAULT-DOMAIN-1',
  __meta_oci_hostname_label: 'web',
  __meta_oci_image_id: 'image',
  __meta_oci_instance_id: 'i-1',
  __meta_oci_instance_name: 'web',
  __meta_oci_instance_shape: 'VM.Standard.E4.Flex',
  __meta_oci_instance_state: 'RUNNING',
  __meta_oci_ipv6_addresses: ',fd::1,fd::2,',
  __meta_oci_private_ip: '10.0.0.1',
  __meta_oci_public_ip: '1.2.3.4',
  __meta_oci_region: 'eu-frankfurt-1',
  __meta_oci_tag_app_owner: 'me',
  __meta_oci_tenancy_id: 'T',
  __meta_oci_vnic_id: 'vnic-1',
};
const V6_TARGET: Record<string, string> = {
  __address__: '[fd::9]:9100',
  __meta_oci_compartment_id: 'closed',
  __meta_oci_instance_id: 'v6',
  __meta_oci_ipv6_addresses: ',fd::9,',
  __meta_oci_tenancy_id: 'T',
  __meta_oci_vnic_id: 'vnic-6',
};

testReplay({
  name: 'oci, all compartments',
  section: `oci_sd_configs: [{region: eu-frankfurt-1, ${user}, port: 9100}]`,
  reply: (asked) => (isSigned(asked, 'T/U/aa:bb', publicKey) ? oci(asked) : new Reaction({}, { status: 401 })),
  want: [FULL_TARGET, V6_TARGET],
});

testReplay({
  name: 'oci, one compartment',
  section: `oci_sd_configs: [{region: eu-frankfurt-1, ${user}, port: 9100, compartments: [child]}]`,
  reply: oci,
  want: [FULL_TARGET],
  check: (asked) => assert.ok(asked.every(({ path }) => !path.startsWith(IDENTITY))),
});

test('oci: a key that does not open fails the section and tells nothing', async () => {
  const wrong = user.replace(`key_passphrase_file: ${passphraseFile}`, 'key_passphrase: hunter2');
  const found = discover(`oci_sd_configs: [{region: eu-frankfurt-1, ${wrong}}]`);
  await found.next();
  assert.equal(found.errors.length, 1);
  assert.ok(!found.errors[0]!.includes('hunter2'));
});

const openssl = spawnSync('openssl', ['version']).status === 0;

test('oci: as the instance we run on', {
  skip: !openssl && 'SKIPPED: no openssl to make a certificate with',
}, async () => {
  const [key, cert] = [join(folder, 'instance.key'), join(folder, 'instance.pem')];
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert],
    ...['-subj', '/CN=instance/OU=opc-tenant:T'],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  const certificate = new X509Certificate(readFileSync(cert));
  const token = `x.${Buffer.from(JSON.stringify({ exp: 4_000_000_000 })).toString('base64url')}.y`;
  let given: KeyObject | undefined;
  const api = await replay((asked) => {
    const [, , name] = /^\/(169\.254\.169\.254\/opc\/v2\/identity)\/(.*)$/.exec(asked.path) ?? [];
    if (name !== undefined) {
      if (asked.headers.authorization !== 'Bearer Oracle') return undefined;
      return readFileSync(name === 'key.pem' ? key : cert, 'utf8');
    }
    if (asked.path === '/auth.eu-frankfurt-1.oraclecloud.com/v1/x509') {
      const keyId = `T/fed-x509-sha256/${certificate.fingerprint256}`;
      assert.ok(isSigned(asked, keyId, certificate.publicKey), 'signed by the instance');
      const der = Buffer.from(JSON.parse(asked.body).publicKey, 'base64');
      given = createPublicKey({ key: der, type: 'spki', format: 'der' });
      return { token };
    }
    return given !== undefined && isSigned(asked, `ST$${token}`, given)
      ? oci(asked)
      : new Reaction({}, { status: 401 });
  });
  const found = discover(
    'oci_sd_configs: [{region: eu-frankfurt-1, auth: instance_principal, port: 9100, refresh_interval: 100ms}]',
    { reroute: (url) => url.replace(/^https?:\/\//, `${api.server.url}/`) },
  );
  await eventually(async () => assert.deepEqual(found.targets(), [FULL_TARGET, V6_TARGET], found.errors[0]), 10_000);
  const asked = () => api.asked.filter(({ path }) => path.endsWith('/x509')).length;
  const refreshes = api.asked.length;
  await eventually(async () => assert.ok(api.asked.length > 2 * refreshes), 10_000);
  assert.equal(asked(), 1, 'the token is good for a long time');
});

test('domains of realms', () => {
  assert.deepEqual(
    ['us-ashburn-1', 'us-gov-phoenix-1', 'uk-gov-london-1', 'eu-frankfurt-1', 'eu-frankfurt-2'].map(realmOf),
    ['oraclecloud.com', 'oraclegovcloud.com', 'oraclegovcloud.uk', 'oraclecloud.com', 'oraclecloud.eu'],
  );
});
