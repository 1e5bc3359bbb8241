// Templates beside what the real promtool made of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloatHistogram } from '../../../src/model/histogram.js';
import { labelsOf } from '../../../src/model/labels.js';
import { checkTemplate, expandTemplate, type TemplateContext } from '../../../src/template/expand.js';
import { alertName, answerOf, broken, CONTEXT, recorded, rendered } from '../../support/templates.js';

const { texts, faults } = recorded();

const HISTOGRAM = new FloatHistogram({
  count: 6,
  sum: 12.5,
  zeroCount: 1,
  zeroThreshold: 0.001,
  positive: { indices: [0, 1], counts: [2, 3] },
});

function contextOf(index: number): TemplateContext {
  return {
    name: alertName(index),
    labels: CONTEXT.labels,
    externalLabels: labelsOf(Object.entries(CONTEXT.externalLabels)),
    externalUrl: CONTEXT.externalUrl,
    value: CONTEXT.value,
    timeMs: CONTEXT.timeMs,
    query: async (expr) => answerOf(expr, HISTOGRAM),
  };
}

for (const [index, template] of rendered().entries()) {
  test(`expands ${JSON.stringify(template)}`, async () => {
    const wrong: string[] = [];
    const text = await expandTemplate(template, { ...contextOf(index), failed: (reason) => wrong.push(reason) });
    assert.equal(text, texts[index]);
    assert.deepEqual(
      wrong.map((reason) => `<error expanding template: ${reason}>`),
      text.startsWith('<error') ? [text] : [],
    );
  });
}

for (const [index, template] of broken().entries()) {
  test(`refuses ${JSON.stringify(template)}`, () => {
    assert.equal(checkTemplate(template, alertName(index)) ?? null, faults[index]);
  });
}
