// The comparison of test/support/fuzz/promql with a real Prometheus 3.5, of answers that are wrong on purpose: it must
// find them, whatever it can explain.

import '../support/fuzz/promql/wobble.js';
import '../support/fuzz/promql/go-library.js';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { FUNCTIONS } from '../../src/promql/functions.js';
import { generateData } from '../support/fuzz/promql/data.js';
import { Expressions } from '../support/fuzz/promql/expressions.js';
import { judge } from '../support/fuzz/promql/judge.js';
import { PLANTED_BUGS, type PlantedBug, planted } from '../support/fuzz/promql/planted.js';
import { askQuestion, type Question, questionAbout } from '../support/fuzz/promql/question.js';
import { openRound, type Round } from '../support/fuzz/promql/round.js';
import { missing, peerBinary } from '../support/peers.js';

const SEED = Number(process.env.SEED ?? 5);
/** Of answers that a bug shows in. */
const ANSWERS = Number(process.env.QUERIES ?? 4);
const QUESTIONS_MAX = 400;
const binary = peerBinary('prometheus');
const skip = binary === undefined && missing('prometheus');
/**
 * Where ties leave the choice of series free, wrong ones are not seen; nor are wrong steps of info(), which 3.5 joins by place.
 * And 3.5 makes no remarks on sorts.
 */
const FREE = /\b(topk|bottomk|limitk|limit_ratio|info|sort\w*)\b/i;

const random = new Prng(SEED);
const data = generateData(random);
const functions = [...FUNCTIONS.values()].filter(({ experimental }) => !experimental);
const expressions = new Expressions(random, data, functions);
let round: Round;

before(async () => {
  if (binary === undefined) return;
  round = await openRound({ binary, series: data.series, delayedNames: SEED % 2 === 1, random, seed: SEED });
});

after(() => round?.close());

for (const bug of PLANTED_BUGS) {
  test(`promql: found beside a real Prometheus: ${bug.name}`, { skip }, async () => {
    let shown = 0;
    for (let i = 0; i < QUESTIONS_MAX && shown < ANSWERS; i++) {
      const question = questionAbout(random, expressions.expression());
      if (FREE.test(question.text) || !(await shows(bug, question))) continue;
      shown++;
      const servers = planted(round, bug);
      const [theirs, ours] = await Promise.all([servers.peer, servers.ours].map((one) => askQuestion(one, question)));
      const verdict = await judge(question, theirs!, ours!, servers);
      assert.equal(verdict.kind, 'different', `${JSON.stringify(question)}: ${JSON.stringify(verdict)}`);
    }
    assert.ok(shown > 0, 'it shows in no answer');
  });
}

/** Whether it changes an answer that is right. */
async function shows(bug: PlantedBug, question: Question): Promise<boolean> {
  const [theirs, ours, wrong] = await Promise.all(
    [round.peer, round.ours, planted(round, bug).ours].map((one) => askQuestion(one, question)),
  );
  if (ours!.body.data === undefined || JSON.stringify(ours!.body) === JSON.stringify(wrong!.body)) return false;
  return (await judge(question, theirs!, ours!, round)).kind === 'same';
}
