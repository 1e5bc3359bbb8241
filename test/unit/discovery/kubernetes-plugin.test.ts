// Credential plugins of kubeconfig files: real programs (shell scripts) that print tokens, fail, hang, and expire.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { realDisk } from '../../../src/base/disk.js';
import { kubeconfigAccess } from '../../../src/discovery/kinds/kubernetes/access.js';
import { discover, endAll } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { FakeKubernetes } from '../../support/kubernetes.js';
import { eventually } from '../../support/servers.js';

after(endAll);

const VERSION = 'client.authentication.k8s.io/v1';
const POD = {
  metadata: { name: 'a', namespace: 'x' },
  spec: { containers: [{ name: 'c', ports: [{ containerPort: 1 }] }] },
  status: { podIP: '10.0.0.1' },
};

/** A kubeconfig file beside a program `login`, which does what `script` says. */
function configured(server: string, script: string, exec = `command: ./login, apiVersion: ${VERSION}`): string {
  const folder = emptyFolder();
  const path = join(folder, 'config');
  writeFileSync(join(folder, 'login'), `#!/bin/sh\ncd ${folder}\n${script}\n`);
  chmodSync(join(folder, 'login'), 0o755);
  writeFileSync(
    path,
    `
current-context: x
contexts: [{name: x, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: '${server}', tls-server-name: api}}]
users: [{name: u, user: {exec: {${exec}}}}]`,
  );
  return path;
}

const credential = (status: string) =>
  `echo '{"apiVersion": "${VERSION}", "kind": "ExecCredential", "status": ${status}}'`;

const watching = (path: string) => discover(`kubernetes_sd_configs: [{kubeconfig_file: '${path}', role: endpoints}]`);

async function cluster(token: string): Promise<FakeKubernetes> {
  const api = await FakeKubernetes.start();
  api.token = token;
  api.put('pods', POD);
  return api;
}

test('a program gives a token, once for all watches; it is told what it asked to know', async () => {
  const api = await cluster('secret');
  const exec = `command: ./login, apiVersion: ${VERSION}, args: [one, two], env: [{name: MINE, value: v}], provideClusterInfo: true`;
  const script = `echo run >> runs; echo "$@ $MINE" > args; echo "$KUBERNETES_EXEC_INFO" > info; sleep 0.2\n${credential('{"token": "secret"}')}`;
  const path = configured(api.server.url, script, exec);
  const found = discover(
    `kubernetes_sd_configs: [{kubeconfig_file: '${path}', role: pod, attach_metadata: {node: true}}]`,
  );
  await eventually(async () => assert.deepEqual(found.addresses(), ['10.0.0.1:1'], found.errors[0]));
  const read = (name: string) => readFileSync(join(path, '..', name), 'utf8');
  assert.equal(read('runs'), 'run\n');
  assert.equal(read('args'), 'one two v\n');
  const { spec, ...info } = JSON.parse(read('info'));
  assert.deepEqual(info, { apiVersion: VERSION, kind: 'ExecCredential' });
  assert.deepEqual(spec, { interactive: false, cluster: { server: api.server.url, 'tls-server-name': 'api' } });
});

test('a token that the API server refuses is asked for again', async () => {
  const api = await cluster('second');
  const script = `if [ -e seen ]; then t=second; else t=first; fi; touch seen; ${credential('{"token": "\'$t\'"}')}`;
  const found = discover(
    `kubernetes_sd_configs: [{kubeconfig_file: '${configured(api.server.url, script)}', role: pod}]`,
  );
  await eventually(async () => assert.deepEqual(found.addresses(), ['10.0.0.1:1'], found.errors[0]), 15_000);
});

test('a token that has expired is asked for again', async () => {
  const api = await cluster('secret');
  const status = '{"token": "secret", "expirationTimestamp": "2020-01-01T00:00:00Z"}';
  const path = configured(api.server.url, `echo run >> runs; ${credential(status)}`);
  const found = watching(path);
  const runs = () =>
    existsSync(join(path, '..', 'runs')) ? readFileSync(join(path, '..', 'runs'), 'utf8').length / 4 : 0;
  // One for the first questions of all three watches, and one for what they ask next.
  await eventually(async () => assert.ok(runs() >= 2, found.errors[0]));
});

const faults: [what: string, script: string, want: RegExp][] = [
  ['fails', 'echo "no such  profile" >&2; exit 3', /login: it failed with exit code 3: no such profile/],
  ['prints no JSON', 'echo "token=hunter2"', /login: its output is no JSON/],
  ['gives nothing', credential('{}'), /login: it gave neither a token nor a certificate/],
  ['forgets the key', credential('{"clientCertificateData": "PEM"}'), /a certificate and its key come together/],
  ['is too new', credential('{}').replace('/v1', '/v9'), /is to use API version .*v1, and uses .*v9/],
];

for (const [what, script, want] of faults) {
  test(`a program that ${what} is a failure, and tells no secret`, async () => {
    const found = watching(configured('http://127.0.0.1:1', script));
    await found.next();
    assert.match(found.errors[0]!, want);
    assert.ok(!found.errors[0]!.includes('hunter2'));
  });
}

test('a program that is not there is a failure', async () => {
  const found = watching(configured('http://127.0.0.1:1', '', `command: narthex-no-such, apiVersion: ${VERSION}`));
  await found.next();
  assert.match(found.errors[0]!, /narthex-no-such: executable file not found/);
});

test('a program that hangs ends with its session', async () => {
  const path = configured('http://127.0.0.1:1', 'echo $$ > pid; exec sleep 600');
  const found = watching(path);
  const pidFile = join(path, '..', 'pid');
  await eventually(async () => assert.ok(existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n')));
  await found.end();
  const pid = Number(readFileSync(pidFile, 'utf8'));
  await eventually(async () => assert.throws(() => process.kill(pid, 0)));
});

const refused: [exec: string, want: RegExp][] = [
  [`apiVersion: ${VERSION}`, /exec: no command/],
  ['command: x', /unknown apiVersion ""/],
  [`command: x, apiVersion: ${VERSION}, interactiveMode: Always`, /nobody is here to talk to/],
];

for (const [exec, want] of refused) {
  test(`a kubeconfig file with exec: {${exec}} is refused`, () => {
    assert.throws(() => kubeconfigAccess(configured('http://x', '', exec), realDisk), want);
  });
}

test('auth providers are gone, as they are from Kubernetes', () => {
  const path = configured('http://x', '');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/user: \{exec.*/, 'user: {auth-provider: {name: gcp}}}]'));
  assert.throws(() => kubeconfigAccess(path, realDisk), /no auth provider found for name "gcp"/);
});
