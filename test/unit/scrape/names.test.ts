// metric_name_validation_scheme: what names of a page are taken.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { relabelRule } from '../../../src/relabel/rule.js';
import type { TargetOptions } from '../../../src/scrape/appender.js';
import { ScrapeRig } from '../../support/scraped.js';

const LEGACY: Partial<TargetOptions> = { metricNameValidationScheme: 'legacy' };

const cases: [page: string, target: Partial<TargetOptions>, error: string | undefined][] = [
  ['a_b:c 1\n', LEGACY, undefined],
  ['a{b="žluťoučký"} 1\n', LEGACY, undefined],
  ['{"a.b"} 1\n', {}, undefined],
  ['ok 1\n{"a.b"} 1\n', LEGACY, 'invalid metric name or label names: {__name__="a.b", job="j"}'],
  ['a{"l.m"="x\\"y"} 1\n', LEGACY, 'invalid metric name or label names: {__name__="a", job="j", "l.m"="x\\"y"}'],
  // After relabelling: what is dropped, or has another name by then, is no fault.
  [
    '{"a.b"} 1\n',
    { ...LEGACY, metricRelabelConfigs: [relabelRule({ sourceLabels: ['__name__'], regex: 'a\\.b', action: 'drop' })] },
    undefined,
  ],
  [
    '{"a.b"} 1\n',
    {
      ...LEGACY,
      metricRelabelConfigs: [relabelRule({ regex: '.*', targetLabel: '__name__', replacement: 'a_b' })],
    },
    undefined,
  ],
];
for (const [page, target, error] of cases) {
  test(`names of ${JSON.stringify(page)} are ${error === undefined ? 'taken' : 'refused'}: ${target.metricNameValidationScheme ?? 'utf8'}`, async () => {
    const rig = await ScrapeRig.open(target);
    // Once more: what was refused is not remembered as good.
    for (const timeMs of [1000, 2000]) {
      const outcome = await rig.scrape(page, timeMs);
      assert.equal(outcome.error?.message, error);
      assert.deepEqual(await rig.at('up', timeMs), { up: error === undefined ? 1 : 0 });
    }
    if (error !== undefined) assert.deepEqual(await rig.at('ok', 2000), {});
    await rig.close();
  });
}
