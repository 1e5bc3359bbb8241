// What the real Prometheus 3.5.3 says to thousands of texts, valid and not: the tree of
// /api/v1/parse_query and the text of /api/v1/format_query, or the words of the error.
//
// The verdicts are recorded in test/testdata/promql/verdicts.jsonl, one text a line:
//
//   {"q":"a + 1","f":"a + 1","t":{…}}      {"q":"a +","e":"1:4: parse error: …"}
//
// UPDATE_GOLDEN=1 records them anew. We speak the language of 3.14: where that differs
// from 3.5, NEWER says how.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { peerBinary } from '../../support/peers.js';
import { corpusTexts } from '../../support/promql-corpus.js';
import { firstDifference, inNewWords, readingOf } from '../../support/promql-reading.js';
import { startPeer } from '../../support/servers.js';
import { readTestdata, testdata } from '../../support/testdata.js';

const FILE = 'promql/verdicts.jsonl';

/** Texts that 3.14 reads otherwise, and what is other about them. */
const NEWER: readonly (readonly [what: string, text: RegExp])[] = [
  ['functions of 3.14', /\b(start|end|step|range|max_of|min_of)\s*(#.*\s*)?\(/],
  ['functions of 3.14', /\b(start_timestamp|first_over_time|ts_of_first_over_time|histogram_quantiles)\s*(#.*\s*)?\(/],
  ['quoted labels stay quoted', /on \(("a\.b"|"é"|a:b)\)/],
  ['labels with a colon are quoted', /(by|without) \(a:b\)/],
  ['info() prints the braces of its second argument', /^info\(a, \{\}\)$/],
  ['a letter in brackets is no colon', /\[(5 m\]|0s\+sum)/],
  ['the sign of parentheses is looked at later', /\[-\(5m\)\]/],
];

/** Where we do otherwise than any Prometheus: docs/differences/promql-syntax.md. */
const OURS: readonly (readonly [what: string, text: RegExp])[] = [
  ['strings hold no bytes but UTF-8', /\\377/],
  ['an offset of no number is refused', /offset -?nan$/i],
];
const FLAGS = ['--enable-feature=promql-experimental-functions,promql-duration-expr'];

interface Verdict {
  readonly q: string;
  /** How it is printed, and its tree. */
  readonly f?: string;
  readonly t?: unknown;
  /** Why it is refused. */
  readonly e?: string;
}

before(async () => {
  if (process.env.UPDATE_GOLDEN !== '1') return;
  const peer = await startPeer(peerBinary('prometheus')!, { flags: FLAGS });
  try {
    const lines: string[] = [];
    for (const text of corpusTexts()) lines.push(JSON.stringify(await verdictOf(peer.url, text)));
    writeFileSync(testdata(FILE), `${lines.join('\n')}\n`);
  } finally {
    await peer.stop();
  }
});

async function verdictOf(url: string, q: string): Promise<Verdict> {
  const ask = async (path: string) => {
    const response = await fetch(`${url}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams({ query: q }) });
    return (await response.json()) as { status: string; error: string; data: unknown };
  };
  const tree = await ask('parse_query');
  if (tree.status === 'error') return { q, e: tree.error.replace('invalid parameter "query": ', '') };
  return { q, f: (await ask('format_query')).data as string, t: tree.data };
}

test('promql: thousands of texts are read as Prometheus 3.5.3 reads them', () => {
  const verdicts = readTestdata(FILE)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict);
  assert.ok(verdicts.length > 1500);
  const used = new Set<RegExp>();
  const problems = verdicts.flatMap((theirs) => {
    const problem = differenceOf(theirs, ask(theirs.q));
    if (problem === undefined) return [];
    const [, explanation] = [...NEWER, ...OURS].find(([, text]) => text.test(theirs.q)) ?? [];
    if (explanation === undefined) return [`${JSON.stringify(theirs.q)}\n  ${problem}`];
    used.add(explanation);
    return [];
  });
  assert.equal(
    problems.length,
    0,
    `${problems.length} of ${verdicts.length} differ:\n${problems.slice(0, 20).join('\n')}`,
  );
  const unused = [...NEWER, ...OURS].filter(([, text]) => !used.has(text));
  assert.deepEqual(unused, [], 'explanations of differences that are none');
});

function ask(q: string): Verdict {
  const reading = readingOf(q);
  return 'error' in reading ? { q, e: reading.error } : { q, f: reading.text, t: reading.tree };
}

function differenceOf(theirs: Verdict, ours: Verdict): string | undefined {
  const theirError = theirs.e && inNewWords(theirs.e);
  if (theirError !== ours.e)
    return `theirs ${theirs.e ?? `reads ${theirs.f}`}\n  ours   ${ours.e ?? `reads ${ours.f}`}`;
  if (theirs.f !== ours.f) return `theirs prints ${theirs.f}\n  ours   prints ${ours.f}`;
  const where = firstDifference(theirs.t, ours.t);
  return where && `trees differ at ${where}`;
}
