// Templates that are cut and mixed at random, beside the real promtool.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { labelsOf } from '../../src/model/labels.js';
import { checkTemplate, expandTemplate } from '../../src/template/expand.js';
import { missing, peerBinary } from '../support/peers.js';
import { recordFaults, recordTexts } from '../support/promtool-templates.js';
import { alertName, CONTEXT, rendered } from '../support/templates.js';

const promtool = peerBinary('promtool');
const skip = promtool === undefined ? missing('promtool') : false;
const SEED = Number(process.env.SEED ?? 20261122);
/** What we lack (floats in hexadecimal; the text of what cannot be called), what promtool 3.5.3 lacks, or does not answer here, or would answer for ever. */
const BEYOND =
  /now|toDuration|urlQueryEscape|parseDuration "-|query|externalURL|pathPrefix|\d{10}|%\d{4}|call|\di|%[^ %]*[xXb]/;

test(`templates mixed from seed ${SEED} give the same texts and faults`, { skip }, async () => {
  const prng = new Prng(SEED);
  const good: string[] = [];
  const bad: string[] = [];
  while (good.length < 300 || bad.length < 150) {
    const template = mixed(prng);
    if (!template.includes('{{') || BEYOND.test(template)) continue;
    (checkTemplate(template, 'A') === undefined ? good : bad).push(template);
  }
  for (const [index, fault] of recordFaults(promtool!, bad).entries()) {
    // A message goes on behind the end of its line.
    assert.equal(checkTemplate(bad[index]!, alertName(index))?.split('\n')[0] ?? null, fault, bad[index]);
  }
  for (const [index, text] of recordTexts(promtool!, good).entries()) {
    assert.equal(await expanded(good[index]!, index), text, good[index]);
  }
});

const TEMPLATES = rendered().filter((template) => !BEYOND.test(template));
const WORDS = TEMPLATES.join(' ')
  .split(/(\s+|[{}()|.$"])/)
  .filter((word) => word !== '');

/** A template with one to three words put in, some of them in place of others. */
function mixed(prng: Prng): string {
  let template = TEMPLATES[prng.int(TEMPLATES.length)]!;
  for (let left = 1 + prng.int(3); left > 0; left--) {
    const at = prng.int(template.length + 1);
    template = template.slice(0, at) + WORDS[prng.int(WORDS.length)]! + template.slice(at + prng.int(4));
  }
  return template;
}

function expanded(template: string, index: number): Promise<string> {
  return expandTemplate(template, {
    name: alertName(index),
    labels: CONTEXT.labels,
    externalLabels: labelsOf(Object.entries(CONTEXT.externalLabels)),
    externalUrl: CONTEXT.externalUrl,
    value: CONTEXT.value,
    timeMs: CONTEXT.timeMs,
    query: async () => [],
  });
}
