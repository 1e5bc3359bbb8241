// Native histograms in a block that a real Prometheus wrote.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../support/recorded-tsdb.js';
import { startNarthex } from '../support/servers.js';
import { testdata } from '../support/testdata.js';

const ULID = '01M7Y0DYVRQYB5RRVPA5E1T2RB';

test('native histograms in blocks are counted, rated and shown, beside floats, with any number of shards', async () => {
  const data = mkdtempSync(join(tmpdir(), 'narthex-histograms-'));
  try {
    cpSync(testdata(`blocks/killed/${ULID}`), join(data, ULID), { recursive: true });
    const answers: unknown[] = [];
    for (const shards of [1, 3]) {
      const server = await startNarthex({ data, flags: [`--shards=${shards}`, '--storage.tsdb.retention.time=100y'] });
      try {
        const at = (query: string, time: number) =>
          ask(server.url, '/api/v1/query', [
            ['query', query],
            ['time', String(time)],
          ]);
        // As the Prometheus that wrote the block answers.
        const scalar = async (query: string, time: number) => {
          const reply = (await at(query, time)) as { result: { value: [number, string] }[] };
          return reply.result?.[0]?.value[1] ?? reply;
        };
        assert.equal(await scalar('histogram_count(fx_nh{instance="k1:80"})', 1769823000), '2170');
        assert.equal(await scalar('histogram_sum(fx_nh{instance="k1:80"})', 1769823000), '900');
        const quantile = 'histogram_quantile(0.5, rate(fx_nh{instance="k0:80"}[10m]))';
        assert.equal(await scalar(quantile, 1769821200), '0.7711054127039703');
        const questions = [
          'count({__name__!=""})',
          'fx_nhcb',
          'sum(rate(fx_nh[10m]))',
          '{__name__=~"fx_nh|fx_req_total"}[2m]',
          'count_over_time({__name__=~"fx_.*"}[1h])',
          'quantile(0.5, {__name__=~"fx_nh|fx_req_total"})',
        ];
        answers.push(await Promise.all(questions.map((query) => at(query, 1769821200))));
      } finally {
        await server.stop();
      }
    }
    assert.deepEqual(answers[0], answers[1]);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
