// Members of a real ZooKeeper: they come and go, the server dies and returns.

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connectFrame, FrameReader, Payload, requestFrame } from '../../../src/discovery/kinds/zookeeper/protocol.js';
import { debianFolders, debianProgram, noServer, type Running, startProgram } from '../../support/debian.js';
import { type Discovering, discover, endAll } from '../../support/discovery.js';
import { emptyFolder } from '../../support/folders.js';
import { eventually, freePort } from '../../support/servers.js';

const JAVA = debianProgram('java');
/** It, and what it needs. */
const JARS = debianFolders('usr/share/java').flatMap((folder) =>
  readdirSync(folder)
    .filter((name) =>
      /^(?:zookeeper|slf4j-api|log4j|logback|netty|jackson|metrics|snappy|jline|commons).*\.jar$/.test(name),
    )
    .map((name) => join(folder, name)),
);
const hasZooKeeper = JAVA !== undefined && JARS.some((path) => path.endsWith('/zookeeper.jar'));
const options = { skip: !hasZooKeeper && noServer('ZooKeeper') };

const folder = emptyFolder();
let port = 0;
let server: Running | undefined;

before(async () => {
  if (!hasZooKeeper) return;
  port = await freePort();
  mkdirSync(join(folder, 'data'));
  writeFileSync(
    join(folder, 'zoo.cfg'),
    `tickTime=200\ndataDir=${folder}/data\nclientPort=${port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n`,
  );
  await start();
  for (const path of ['/x', '/x/nested']) await change('create', path, '');
});

after(async () => {
  await endAll();
  await server?.kill();
});

async function start(): Promise<void> {
  const main = 'org.apache.zookeeper.server.ZooKeeperServerMain';
  const cfg = join(folder, 'zoo.cfg');
  server = startProgram(JAVA!, ['-Xmx64m', '-Dzookeeper.log.dir=/dev/null', '-cp', JARS.join(':'), main, cfg]);
  await eventually(
    () => change('exists', '/', '').catch((error) => assert.fail(`${error.message}: ${server!.log()}`)),
    30_000,
  );
}

/** Writes by a connection of its own; the codes of operations are those of ZooKeeper. */
function change(operation: 'create' | 'delete' | 'set' | 'exists', path: string, data: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    const frames = new FrameReader();
    let isConnected = false;
    socket.on('error', reject);
    // Before it is ready it hangs up.
    socket.on('close', () => reject(new Error('the server hung up')));
    // And at times, while it starts, says nothing at all.
    socket.setTimeout(3000, () => socket.destroy(new Error('the server did not answer')));
    socket.on('connect', () => socket.write(connectFrame(4000)));
    socket.on('data', (bytes) => {
      for (const frame of frames.take(bytes)) {
        if (!isConnected) {
          isConnected = true;
          socket.write(changeFrame(operation, path, data));
          continue;
        }
        frame.int();
        frame.skipLong();
        const error = frame.int();
        socket.destroy();
        if (error === 0) resolve();
        else reject(new Error(`zookeeper error ${error} for ${operation} ${path}`));
      }
    });
  });
}

function changeFrame(operation: 'create' | 'delete' | 'set' | 'exists', path: string, data: string): Buffer {
  const int = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const bytes = (text: string) => Buffer.concat([int(Buffer.byteLength(text)), Buffer.from(text)]);
  // One permission entry: everything (31) for world:anyone; no flags.
  const everybody = Buffer.concat([int(1), int(31), bytes('world'), bytes('anyone'), int(0)]);
  const bodies = {
    create: () => [int(1), bytes(path), bytes(data), everybody],
    delete: () => [int(2), bytes(path), int(-1)],
    exists: () => [int(3), bytes(path), Buffer.from([0])],
    set: () => [int(5), bytes(path), bytes(data), int(-1)],
  };
  const payload = Buffer.concat([int(1), ...bodies[operation]()]);
  return Buffer.concat([int(payload.length), payload]);
}

const member = (host: string, p = 8080) => JSON.stringify({ host, port: p, name: 'web' });

const has = (found: Discovering, ...want: string[]) =>
  eventually(async () => assert.deepEqual(found.addresses(), want, found.errors.at(-1)), 30_000);

function nerve(path: string): Discovering {
  return discover(`nerve_sd_configs: [{servers: ['127.0.0.1:1', '127.0.0.1:${port}'], paths: [${path}], timeout: 4s}]`);
}

test('nerve: labels, and members that come, change and go, in trees', options, async () => {
  await change('create', '/x/a', member('10.0.0.1'));
  await change('create', '/x/nested/b', member('10.0.0.2'));
  await change('create', '/x/other', 'no member');
  const found = nerve('/x');
  await has(found, '10.0.0.1:8080', '10.0.0.2:8080');
  assert.deepEqual(found.targets()[0], {
    __address__: '10.0.0.1:8080',
    __meta_nerve_endpoint_host: '10.0.0.1',
    __meta_nerve_endpoint_name: 'web',
    __meta_nerve_endpoint_port: '8080',
    __meta_nerve_path: '/x/a',
  });
  await change('create', '/x/nested/c', member('10.0.0.3'));
  await has(found, '10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080');
  await change('set', '/x/a', member('10.0.0.4'));
  await has(found, '10.0.0.2:8080', '10.0.0.3:8080', '10.0.0.4:8080');
  await change('delete', '/x/nested/b', '');
  await change('delete', '/x/nested/c', '');
  await change('delete', '/x/nested', '');
  await has(found, '10.0.0.4:8080');
  await change('set', '/x/a', 'nobody any more');
  await has(found);
  await change('set', '/x/a', member('10.0.0.1'));
  await has(found, '10.0.0.1:8080');
  await found.end();
});

test('serverset: labels of a member with further endpoints', options, async () => {
  const data = {
    serviceEndpoint: { host: 'a.local', port: 31500 },
    additionalEndpoints: { 'health-x': { host: 'a.local', port: 31501 } },
    status: 'ALIVE',
    shard: 3,
  };
  await change('create', '/set', '');
  await change('create', '/set/member_0001', JSON.stringify(data));
  const found = discover(`serverset_sd_configs: [{servers: ['127.0.0.1:${port}'], paths: [/set]}]`);
  await has(found, 'a.local:31500');
  assert.deepEqual(found.targets()[0], {
    __address__: 'a.local:31500',
    __meta_serverset_endpoint_host: 'a.local',
    __meta_serverset_endpoint_host_health_x: 'a.local',
    __meta_serverset_endpoint_port: '31500',
    __meta_serverset_endpoint_port_health_x: '31501',
    __meta_serverset_path: '/set/member_0001',
    __meta_serverset_shard: '3',
    __meta_serverset_status: 'ALIVE',
  });
  await found.end();
});

test('a path that comes late is seen when it comes', options, async () => {
  const found = nerve('/late');
  await eventually(async () => assert.deepEqual(found.session.groups, []));
  await change('create', '/late', '');
  await change('create', '/late/a', member('10.0.0.9'));
  await has(found, '10.0.0.9:8080');
  await change('delete', '/late/a', '');
  await change('delete', '/late', '');
  await has(found);
  await change('create', '/late', member('10.0.0.8'));
  await has(found, '10.0.0.8:8080');
  await found.end();
});

test('the server dies, its members stay; it returns, and what changed meanwhile is known', options, async () => {
  await change('create', '/dies', '');
  await change('create', '/dies/a', member('10.1.0.1'));
  const found = nerve('/dies');
  await has(found, '10.1.0.1:8080');
  const failures = found.metrics.zookeeperFailures.value;
  await server!.kill();
  await eventually(async () => assert.ok(found.metrics.zookeeperFailures.value > failures), 30_000);
  assert.deepEqual(found.addresses(), ['10.1.0.1:8080']);
  await start();
  await change('create', '/dies/b', member('10.1.0.2'));
  await has(found, '10.1.0.1:8080', '10.1.0.2:8080');
  await found.end();
});

test('frames in pieces, and frames that are none', () => {
  const frame = requestFrame(7, 4, '/x');
  const reader = new FrameReader();
  const found: Payload[] = [];
  for (const byte of Buffer.concat([frame, frame])) found.push(...reader.take(Uint8Array.of(byte)));
  assert.equal(found.length, 2);
  assert.deepEqual([found[1]!.int(), found[1]!.int(), found[1]!.text()], [7, 4, '/x']);
  assert.throws(() => found[1]!.int(), RangeError);
  assert.throws(() => new FrameReader().take(Buffer.from('HTTP/1.1 400')), /a frame of/);
  assert.throws(() => new FrameReader().take(Buffer.from([0xff, 0xff, 0xff, 0xff])), /a frame of -1 bytes/);
  assert.throws(() => new Payload(Buffer.from([0, 0, 0, 9, 1])).bytes(), RangeError);
  assert.throws(() => new Payload(Buffer.from([0x7f, 0, 0, 9, 1])).texts(), RangeError);
  assert.equal(new Payload(Buffer.from([0xff, 0xff, 0xff, 0xff])).bytes(), undefined);
});
