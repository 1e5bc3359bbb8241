// Generated queries over HTTP: a real Prometheus 3.5 and a whole Narthex server, fed by the
// same remote writes (floats), must send the same bytes, but for the order of series.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { FUNCTIONS } from '../../src/promql/functions.js';
import { generateData } from '../support/fuzz/promql/data.js';
import { Expressions } from '../support/fuzz/promql/expressions.js';
import { batchesOf } from '../support/fuzz/promql/load.js';
import { askQuestion, type Question, questionAbout } from '../support/fuzz/promql/question.js';
import { remoteWrite } from '../support/fuzz/promql/servers.js';
import { errorInCommon } from '../support/fuzz/promql/words.js';
import { missing, peerBinary } from '../support/peers.js';
import { startNarthex, startPeer } from '../support/servers.js';

const SEED = Number(process.env.SEED ?? 7);
const QUERIES = Number(process.env.QUERIES ?? 400);
const TIME_MS = 30_000;
const binary = peerBinary('prometheus');
const FLAGS = [
  '--web.enable-remote-write-receiver',
  '--enable-feature=promql-experimental-functions,promql-duration-expr',
];
/** What is the same in all versions, and does not depend on the order of sums or on a library's last digit. */
const EXACT =
  /\b(sum|avg|stddev|stdvar|count_values|topk|bottomk|limitk|limit_ratio|sort\w*|info|mad_over_time|timestamp|atan2|a?(sin|cos|tan)h?|exp|ln|log\w+|first_over_time|histogram_\w+)\b|\^|\[[^\]]*[-+*/%^:]/i;

test('promql: a whole server sends what a real Prometheus sends', {
  skip: binary === undefined && missing('prometheus'),
}, async (t) => {
  const random = new Prng(SEED);
  const data = generateData(random);
  const floats = data.series.filter(({ samples }) => samples.every(({ value }) => typeof value === 'bigint'));
  const servers = [
    await startPeer(binary!, { flags: [...FLAGS, '--storage.tsdb.retention.time=20y'] }),
    await startNarthex({
      flags: [...FLAGS, '--shards=2', '--storage.tsdb.min-block-duration=20y'],
    }),
  ];
  t.after(() => Promise.all(servers.map((server) => server.stop())));
  for (const batch of batchesOf(floats)) for (const { url } of servers) await remoteWrite(url, batch);

  const functions = [...FUNCTIONS.values()].filter(
    ({ experimental, name }) => !experimental && name !== 'first_over_time',
  );
  const families = data.families.filter(({ name }) => floats.some(({ labels }) => labels.includes(name)));
  const expressions = new Expressions(random, { ...data, families }, functions);
  const problems: string[] = [];
  let compared = 0;
  const endMs = Date.now() + TIME_MS;
  for (let i = 0; i < QUERIES && Date.now() < endMs; i++) {
    const question = questionAbout(random, expressions.expression());
    if (EXACT.test(question.text)) continue;
    compared++;
    const [theirs, ours] = await Promise.all(servers.map(({ url }) => bytesOf(url, question)));
    // Newer versions match before they filter.
    if (/many-to-one matching must be explicit|grouping labels must ensure unique/.test(ours!)) continue;
    if (theirs !== ours) problems.push(`${JSON.stringify(question)}\n  theirs ${theirs}\n  ours   ${ours}`);
  }
  t.diagnostic(`seed ${SEED}: ${compared} compared`);
  assert.equal(problems.length, 0, `${problems.length} differ, seed ${SEED}:\n${problems.slice(0, 5).join('\n')}`);
  assert.ok(compared > 20, `${compared} compared only`);
});

/** Status, type and body; series in the order of their text. */
async function bytesOf(url: string, question: Question): Promise<string> {
  let answer = '';
  await askQuestion(
    {
      async ask(path, params) {
        const response = await fetch(`${url}/api/v1/${path}?${params}`);
        const [head = '', ...series] = (await response.text()).split(/(?=\{"metric":)/);
        const rows = series.map((row) => row.replace(/,$/, ''));
        // What follows the last series belongs to no series.
        const tail = /\]\}(,"(warnings|infos)":.*)?\}$/s.exec(rows.at(-1) ?? '')?.[0] ?? '';
        if (rows.length > 0) rows[rows.length - 1] = rows.at(-1)!.slice(0, -tail.length || undefined);
        answer = [
          response.status,
          response.headers.get('content-type'),
          errorInCommon(head.replaceAll('\\"', '"'), question.text),
          ...rows.sort(),
          tail,
        ].join('\n');
        return { status: response.status, body: { status: 'success' } };
      },
    },
    question,
  );
  return answer;
}
