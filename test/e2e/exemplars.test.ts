// Exemplars: the same requests to Narthex and to a real Prometheus, the same answers; and each opens the other's log.

import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { after, test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { encodeWrite, RemoteWriter, type Series, snappyLiterals, type WireExemplar } from '../support/remote-write.js';
import { type Server, startNarthex, startPeer } from '../support/servers.js';

const prometheus = peerBinary('prometheus');
const withPeer = { skip: prometheus === undefined && missing('prometheus') };
const FLAGS = ['--enable-feature=exemplar-storage', '--web.enable-remote-write-receiver'];
const CONFIG = 'storage:\n  exemplars:\n    max_exemplars: 60\n';
/** Of now, and within one block. */
const START_MS = Math.floor(Date.now() / 7_200_000) * 7_200_000;

const servers: Server[] = [];
after(async () => {
  for (const server of servers) await server.stop();
});

async function noted(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

function generate(random: Prng, step: number): Series {
  const exemplars = Array.from({ length: random.int(4) }, (): WireExemplar => {
    const long = random.int(10) === 0;
    return {
      labels: random.int(6) === 0 ? [] : ['trace_id', long ? 'é'.repeat(121) : `${random.int(4)}`, 'empty', ''],
      timeMs: START_MS + step * 500 + random.int(1000),
      // Of two of the same time and value Prometheus takes the one with the higher hash: there are none.
      value: random.int(1_000_000) / 8,
    };
  });
  const labels = ['__name__', `m${random.int(2)}_total`, 'n', `${random.int(5)}`];
  return { labels, samples: [[START_MS + step * 500, step]], exemplars };
}

async function ask(url: string, query: string): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/query_exemplars?${query}`);
  return { status: response.status, body: await response.text() };
}

const seconds = (ms: number) => String((START_MS + ms) / 1000);
const QUESTIONS = [
  `query=m0_total&start=${seconds(0)}&end=${seconds(1e6)}`,
  `query=${encodeURIComponent('sum(rate(m1_total[5m])) / on() m0_total{n=~"[0-2]"}')}`,
  `query=${encodeURIComponent('{n!="3",__name__=~".+"}')}&start=${seconds(9_000)}&end=${seconds(20_000)}`,
  `query=none_total`,
  `query=1`,
  `query=`,
  `query=sum(`,
  `query=m0_total&start=5&end=4`,
  `query=m0_total&start=x`,
  `query=m0_total&end=x`,
];

async function assertSame(ours: Server, theirs: Server): Promise<void> {
  for (const question of QUESTIONS)
    assert.deepEqual(await ask(ours.url, question), await ask(theirs.url, question), question);
}

/** Of the refused ones Prometheus counts those that were no fault before their request. */
const METRIC = /^prometheus_tsdb_exemplar_(?!out_of_order)\w+ .*$/gm;

async function metrics({ url }: Server): Promise<string[]> {
  return (await (await fetch(`${url}/metrics`)).text()).match(METRIC) ?? [];
}

for (const shards of [1, 3]) {
  test(
    `exemplars by remote write, ${shards} shards, beside Prometheus; killed, and each with the other's data`,
    withPeer,
    async () => {
      const random = new Prng(shards);
      const [own, others] = [emptyFolder(), emptyFolder()];
      const startOwn = (data: string) =>
        noted(startNarthex({ data, config: CONFIG, flags: [...FLAGS, `--shards=${shards}`] }));
      const startOther = (data: string) => noted(startPeer(prometheus!, { data, config: CONFIG, flags: FLAGS }));
      let ours = await startOwn(own);
      let theirs = await startOther(others);
      const send = async (steps: number, from: number) => {
        const writers = [ours, theirs].map(({ url }) => new RemoteWriter(url));
        for (let step = from; step < from + steps; step++) {
          const body = snappyLiterals(encodeWrite([generate(random, step)]));
          for (const writer of writers) assert.equal((await writer.send(body)).status, 204);
        }
        for (const writer of writers) writer.close();
      };
      await send(30, 0);
      await assertSame(ours, theirs);
      await send(50, 30);
      await assertSame(ours, theirs);
      assert.deepEqual(await metrics(ours), await metrics(theirs));
      await Promise.all([ours.end('SIGKILL'), theirs.end('SIGKILL')]);
      const [copyOfOwn, copyOfOthers] = [emptyFolder(), emptyFolder()];
      cpSync(own, copyOfOwn, { recursive: true });
      cpSync(others, copyOfOthers, { recursive: true });
      ours = await startOwn(own);
      theirs = await startOther(others);
      await assertSame(ours, theirs);
      await send(10, 80);
      await assertSame(ours, theirs);
      await Promise.all([ours.stop(), theirs.stop()]);
      ours = await startOwn(copyOfOthers);
      theirs = await startOther(copyOfOwn);
      await assertSame(ours, theirs);
      await Promise.all([ours.stop(), theirs.stop()]);
    },
  );
}

test('without the feature nothing is kept, and the answer is empty', async () => {
  const server = await noted(startNarthex({ flags: ['--web.enable-remote-write-receiver'] }));
  const writer = new RemoteWriter(server.url);
  await writer.send(snappyLiterals(encodeWrite([generate(new Prng(3), 1), generate(new Prng(4), 2)])));
  writer.close();
  assert.deepEqual(await ask(server.url, QUESTIONS[2]!), { status: 200, body: '{"status":"success","data":[]}' });
});
