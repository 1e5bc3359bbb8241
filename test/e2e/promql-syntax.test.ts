// Our parser against the one of a real Prometheus 3.5: random expressions, right and
// wrong. Both must accept the same, build the same tree, print the same text and
// refuse with the same words. Language newer than 3.5 is left to the unit tests.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { FUNCTIONS, type FunctionSignature } from '../../src/promql/functions.js';
import { missing, peerBinary } from '../support/peers.js';
import { ExpressionGenerator, isNewer } from '../support/promql-generator.js';
import { firstDifference, inNewWords, type Reading, readingOf } from '../support/promql-reading.js';
import { type Server, startPeer } from '../support/servers.js';

const SEED = Number(process.env.SEED ?? 20261121);
const EXPRESSIONS = 2400;
const FLAGS = ['--enable-feature=promql-experimental-functions,promql-duration-expr'];

const binary = peerBinary('prometheus');

test('promql: the real Prometheus reads expressions as we do', {
  skip: binary === undefined && missing('prometheus'),
}, async (t) => {
  const peer = await startPeer(binary!, { flags: FLAGS });
  t.after(() => peer.stop());
  const generator = new ExpressionGenerator(new Prng(SEED), await functionsOf(peer));
  const texts = Array.from({ length: EXPRESSIONS }, (_, i) => {
    const text = generator.expression();
    return i % 3 === 2 ? generator.damaged(text) : text;
  });

  const counts = { accepted: 0, refused: 0, otherWords: 0, newer: 0 };
  const problems: string[] = [];
  await inParallel(8, texts, async (text) => {
    const [theirs, ours] = [await askPeer(peer, text), readingOf(text)];
    counts['error' in ours ? 'refused' : 'accepted']++;
    const problem = compare(theirs, ours);
    if (problem !== undefined && isNewer(text)) counts.newer++;
    else if (problem !== undefined) problems.push(`${JSON.stringify(text)}\n${problem}`);
    else if ('error' in ours && 'error' in theirs && ours.error !== theirs.error && !isNewer(text)) {
      counts.otherWords++;
      t.diagnostic(`other words for ${JSON.stringify(text)}\n  theirs ${theirs.error}\n  ours   ${ours.error}`);
    }
  });
  t.diagnostic(`seed ${SEED}: ${JSON.stringify(counts)}`);
  assert.equal(problems.length, 0, `${problems.length} differ, seed ${SEED}:\n${problems.slice(0, 20).join('\n\n')}`);
  assert.ok(counts.accepted > EXPRESSIONS / 4 && counts.refused > EXPRESSIONS / 4, JSON.stringify(counts));
  assert.ok(counts.otherWords <= counts.refused / 200, JSON.stringify(counts));
});

async function askPeer(peer: Server, text: string): Promise<Reading> {
  const tree = await post(peer, 'parse_query', text);
  if (tree.status === 'error') return { error: inNewWords(tree.error.replace('invalid parameter "query": ', '')) };
  return { tree: tree.data, text: (await post(peer, 'format_query', text)).data as string };
}

async function post(
  peer: Server,
  path: string,
  query: string,
): Promise<{ status: string; error: string; data: unknown }> {
  const response = await fetch(`${peer.url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams({ query }) });
  return response.json() as Promise<{ status: string; error: string; data: unknown }>;
}

/** The functions that the peer has too; but its parser panics on info() with anything but a selector. */
async function functionsOf(peer: Server): Promise<FunctionSignature[]> {
  const known: FunctionSignature[] = [];
  for (const signature of FUNCTIONS.values()) {
    if (signature.name === 'info') continue;
    // Without arguments, an unknown function is still told from a known one.
    const answer = await post(peer, 'parse_query', `${signature.name}()`);
    if (answer.status === 'success' || /argument\(s\)/.test(answer.error)) known.push(signature);
  }
  return known;
}

function compare(theirs: Reading, ours: Reading): string | undefined {
  if ('error' in theirs) return 'error' in ours ? undefined : `theirs ${theirs.error}\nours   ${ours.text}`;
  if ('error' in ours) return `theirs ${theirs.text}\nours   ${ours.error}`;
  const where = firstDifference(theirs.tree, ours.tree);
  if (where !== undefined) return `trees differ at ${where}`;
  return theirs.text === ours.text ? undefined : `theirs ${theirs.text}\nours   ${ours.text}`;
}

async function inParallel<T>(workers: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const run = async () => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: workers }, run));
}
