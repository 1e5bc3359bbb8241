// Configurations that a real Prometheus 3.5 judged. Where a file was made for a newer
// feature its name says the verdict, and the recorded one is too old.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { checkConfig } from '../../../src/cli/check-config.js';
import { parseConfig } from '../../../src/config/config.js';
import { ConfigError } from '../../../src/config/error.js';
import { conformance, hasConformance, readConformance } from '../../support/testdata.js';

interface Verdict {
  readonly ok: boolean;
  readonly output: string;
}

type Verdicts<K extends string> = Record<string, Record<K, Verdict> & { named: 'good' | 'bad' | null }>;

/** Without the cases there is nothing to judge; hasConformance() has said so. */
const present = hasConformance();

const verdictsOf = <K extends string>(folder: string) =>
  (present ? JSON.parse(readConformance(`${folder}/VERDICTS.json`)) : {}) as Verdicts<K>;

/** Judged by what Prometheus 3.6 to 3.14 does, which is what the names say. */
const NEWER: ReadonlyMap<string, boolean> = new Map([
  ['conf.good.yml', true],
  ['global_enable_extra_scrape_metrics.good.yml', true],
  ['global_enable_scrape_native_hist.good.yml', true],
  ['global_enable_scrape_native_hist_and_scrape_protocols.good.yml', true],
  ['local_enable_scrape_native_hist_and_scrape_protocols.good.yml', true],
  ['remote_write_queue_max_backoff_less_than_min.bad.yml', false],
  ['remote_write_queue_max_samples_per_send_zero.bad.yml', false],
  ['remote_write_queue_min_shards_greater_than_max.bad.yml', false],
  ['remote_write_queue_min_shards_zero.bad.yml', false],
  ['scrape_config_local_infer_escaping.yml', true],
  ['tsdb_chunk_encoding_floats_xor2.good.yml', true],
  // Sections whose discovery the recorded server was built without.
  ['prometheus-nomad.yml', true],
  ['prometheus-stackit.yml', true],
  ['prometheus.yml', true],
  // The recorded server asked the network for a region.
  ['prometheus-aws-sd-empty-region.good.yml', true],
]);

/** Verdicts we do not reach yet, and what they wait for. */
const PENDING: ReadonlyMap<string, string> = new Map();

/** Messages that are Prometheus's word for word; the others differ in the wording of later sections. */
const WORDING_DIFFERS =
  /^(?:azure|oci|openstack|outscale|stackit|tsdb_|labelname|labelvalue|promtool-http-config-file|config_with_service_discovery_files)/;

if (present) process.chdir(conformance('config'));

function judge(name: string, want: Verdict, check: () => void): void {
  const ok = NEWER.get(name) ?? want.ok;
  let message = '';
  try {
    check();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    message = error.message;
  }
  assert.equal(message === '', ok, ok ? message : `accepted, but: ${want.output}`);
  const recorded = want.output.split('FAILED: ')[1];
  if (!ok && recorded !== undefined && !want.ok && !WORDING_DIFFERS.test(name)) assert.equal(message, recorded);
}

for (const [name, { full }] of Object.entries(verdictsOf<'full'>('config'))) {
  // These name files that are not in the collection.
  const check = name === 'conf.good.yml' ? () => parseConfig(readConformance(`config/${name}`)) : undefined;
  test(`config: ${name}`, { todo: PENDING.get(name) }, () => {
    judge(name, full, check ?? (() => checkConfig(name, { agent: name.startsWith('agent_mode') })));
  });
}

for (const [name, verdict] of Object.entries(verdictsOf<'full'>('promtool'))) {
  test(`promtool: ${name}`, { todo: PENDING.get(name) }, () => {
    judge(name, verdict.full, () => {
      process.chdir(conformance('promtool'));
      try {
        checkConfig(name);
      } finally {
        process.chdir(conformance('config'));
      }
    });
  });
}

for (const [name, verdict] of Object.entries(verdictsOf<'syntax_only'>('examples'))) {
  test(`examples: ${name}`, () => {
    judge(name, verdict.syntax_only, () => parseConfig(readConformance(`examples/${name}`)));
  });
}

for (const [name, verdict] of Object.entries(verdictsOf<'in_scrape_config_syntax_only'>('http-client-config'))) {
  test(`http client: ${name}`, () => {
    const block = parse(readConformance(`http-client-config/${name}`)) as Record<string, unknown>;
    const keys = name.startsWith('tls_config') ? { tls_config: block } : block;
    const config = stringify({ scrape_configs: [{ job_name: 'x', ...keys }] });
    const { in_scrape_config_syntax_only: want } = verdict;
    judge(name, { ...want, output: want.output.replace('parsing YAML file c.yml: ', '') }, () => parseConfig(config));
  });
}

test('every file of the collection has a verdict', { skip: !present }, () => {
  const judged = new Set(Object.keys(verdictsOf('config')));
  const files = readdirSync('.').filter((name) => name.endsWith('.yml'));
  assert.deepEqual(
    files.filter((name) => !judged.has(name)),
    [],
  );
});
