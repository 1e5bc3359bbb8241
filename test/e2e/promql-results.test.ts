// Our query engine against a real Prometheus 3.5 with the same samples: random queries,
// at one time and over ranges. Values must agree to twelve digits, labels, errors and
// annotations wholly.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compress } from 'snappyjs';
import { realClock } from '../../src/base/clock.js';
import { Prng } from '../../src/base/prng.js';
import { MemorySource } from '../../src/promql/exec/memory-source.js';
import { ALL_PARSE_OPTIONS } from '../../src/promql/syntax/parse.js';
import { QueryEngine } from '../../src/query/engine.js';
import { missing, peerBinary } from '../support/peers.js';
import { bitsOf } from '../support/promqltest/series.js';
import {
  ask,
  compareResults,
  keyOf,
  type Outcome,
  plainError,
  type Question,
  type Result,
  randomQuestions,
} from '../support/query-answers.js';
import { generateSeries } from '../support/query-generator.js';
import { type Server, startPeer } from '../support/servers.js';
import { encodeWriteRequest } from '../support/write-request.js';

const SEED = Number(process.env.SEED ?? 20261121);
const QUERIES = Number(process.env.QUERIES ?? 600);
const binary = peerBinary('prometheus');

test('promql: a real Prometheus answers queries as we do', {
  skip: binary === undefined && missing('prometheus'),
}, async (t) => {
  const random = new Prng(SEED);
  const series = generateSeries(random);
  const peer = await startPeer(binary!, {
    flags: [
      '--web.enable-remote-write-receiver',
      '--enable-feature=promql-experimental-functions',
      '--storage.tsdb.retention.time=20y',
    ],
  });
  t.after(() => peer.stop());
  await write(peer, series);
  const source = new MemorySource();
  for (const { labels, samples } of series) {
    for (const { timeMs, value } of samples) source.append(labels, timeMs, bitsOf(value));
  }
  const engine = new QueryEngine(() => source, realClock, {
    timeoutMs: 60_000,
    samplesMax: 50_000_000,
    concurrency: 4,
    lookbackMs: 300_000,
    subqueryStepMs: 60_000,
    delayedNames: false,
    parse: ALL_PARSE_OPTIONS,
  });

  const questions = randomQuestions(random, QUERIES);
  const counts = { answers: 0, empty: 0, errors: 0 };
  const problems: string[] = [];
  for (const question of questions) {
    const [theirs, ours] = await Promise.all([askPeer(peer, question), ask(engine, question)]);
    if ('error' in ours) counts.errors++;
    else if (ours.result.size === 0) counts.empty++;
    else counts.answers++;
    const problem = compare(question.text, theirs, ours);
    if (problem !== undefined && !isMeant(question.text, ours))
      problems.push(`${JSON.stringify(question)}\n${problem}`);
  }
  t.diagnostic(`seed ${SEED}: ${JSON.stringify(counts)}, ${problems.length} differ`);
  assert.equal(problems.length, 0, `${problems.length} differ, seed ${SEED}:\n${problems.slice(0, 25).join('\n\n')}`);
  assert.ok(counts.answers > QUERIES / 3, JSON.stringify(counts));
});

async function write(peer: Server, series: ReturnType<typeof generateSeries>): Promise<void> {
  const body = encodeWriteRequest(
    series.map(({ labels, samples }) => ({
      labels,
      samples: samples.map(({ timeMs, value }) => ({ timeMs: BigInt(timeMs), bits: bitsOf(value) })),
    })),
  );
  const response = await fetch(`${peer.url}/api/v1/write`, {
    method: 'POST',
    body: compress(body),
    headers: { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf' },
  });
  assert.equal(response.status, 204, await response.text());
}

async function askPeer(peer: Server, { text, startMs, stepMs, count }: Question): Promise<Outcome> {
  const params = new URLSearchParams({ query: text });
  if (stepMs === 0) {
    params.set('time', String(startMs / 1000));
  } else {
    params.set('start', String(startMs / 1000));
    params.set('end', String((startMs + stepMs * (count - 1)) / 1000));
    params.set('step', String(stepMs / 1000));
  }
  const path = stepMs === 0 ? 'query' : 'query_range';
  const response = await fetch(`${peer.url}/api/v1/${path}`, { method: 'POST', body: params });
  const reply = (await response.json()) as PeerReply;
  if (reply.status !== 'success') {
    return { error: reply.error.replace(/^invalid parameter "query": /, ''), type: reply.errorType };
  }
  const result: Result = new Map();
  const { data } = reply;
  if (data.resultType === 'scalar') put(result, {}, [data.result]);
  else for (const { metric, value, values } of data.result) put(result, metric, values ?? [value!]);
  return { result, annotations: [...(reply.warnings ?? []), ...(reply.infos ?? [])].sort() };
}

type Point = [seconds: number, value: string];

interface PeerReply {
  readonly status: string;
  readonly error: string;
  readonly errorType: string;
  readonly data:
    | { resultType: 'scalar'; result: Point }
    | {
        resultType: 'vector' | 'matrix';
        result: { metric: Record<string, string>; value?: Point; values?: Point[] }[];
      };
  readonly warnings?: string[];
  readonly infos?: string[];
}

function put(result: Result, metric: Record<string, string>, points: Point[]): void {
  const values = points.map(([seconds, text]): [number, number] => [Math.round(seconds * 1000), parse(text)]);
  result.set(keyOf(Object.entries(metric)), new Map(values));
}

function parse(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}

function compare(text: string, theirs: Outcome, ours: Outcome): string | undefined {
  if ('error' in theirs || 'error' in ours) {
    const [a, b] = [theirs, ours].map((one) =>
      'error' in one ? `${one.type}: ${plainError(one.error)}` : 'an answer',
    );
    return a === b ? undefined : `theirs ${a}\nours   ${b}`;
  }
  const difference = compareResults(theirs.result, ours.result);
  if (difference !== undefined) return difference;
  // The API cuts long lists of annotations.
  if (theirs.annotations.some((annotation) => annotation.includes('annotations omitted'))) return undefined;
  const [a, b] = [theirs, ours].map(({ annotations }) =>
    [...new Set(annotations.map((one) => as35(text, one)))].join('\n       '),
  );
  return a === b ? undefined : `theirs ${a}\nours   ${b}`;
}

/**
 * What 3.5 says otherwise than newer versions: a metric name that is not known, no details of repaired
 * histograms, and the position of a parenthesis rather than of what is in it.
 */
function as35(text: string, annotation: string): string {
  return (
    annotation
      .replace(/, from buckets .*Z(?= \()/, '')
      .replace(/ for metric name ""/, '')
      .replace(/(#histogram_quantile\)) for metric name ".*"/, '$1')
      // Functions such as atan2 differ in the last bit.
      .replace(/(\d\.\d{12})\d+/, '$1')
      .replace(/\(1:(\d+)\)$/, (_, column) => {
        let at = Number(column) - 1;
        while (text[at] === '(') at++;
        return `(1:${at + 1})`;
      })
  );
}

/**
 * What we mean to do otherwise than 3.5: many-to-one matching must be explicit even where a comparison lets one
 * element through, as in newer versions; and timestamp() of a selector with `@` and `offset` heeds both, where
 * Prometheus reads the samples of one time and looks for them at another.
 */
function isMeant(text: string, ours: Outcome): boolean {
  if (/timestamp\([^()]*@[^()]*offset/.test(text)) return true;
  return 'error' in ours && /many-to-one matching must be explicit/.test(ours.error) && /[<>=]/.test(text);
}
