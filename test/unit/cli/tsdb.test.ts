// `narthex tsdb` on directories of ours: what it prints, byte for byte. Beside the real promtool: test/e2e/promtool-tsdb.test.ts.

import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { xxhash64 } from '../../../src/base/xxhash.js';
import { goDuration } from '../../../src/cli/tool/go-text.js';
import { blockSpan } from '../../../src/cli/tsdb/create-blocks.js';
import { ConfigError } from '../../../src/config/error.js';
import { parseRuleFile } from '../../../src/config/rule-file.js';
import { firstEvaluation } from '../../../src/rules/group-times.js';
import { emptyFolder } from '../../support/folders.js';
import { testdata } from '../../support/testdata.js';
import { runTsdb } from '../../support/tool.js';

const KILLED = testdata('blocks/killed');
const folder = emptyFolder();

async function printed(...line: string[]): Promise<string> {
  const { code, out, err } = await runTsdb(line);
  assert.equal(code, 0, err);
  return out;
}

test('tsdb list', async () => {
  assert.equal(
    await printed('list', KILLED),
    `BLOCK ULID                  MIN TIME       MAX TIME       DURATION     NUM SAMPLES  NUM CHUNKS   NUM SERIES   SIZE
01M7Y0DYVRQYB5RRVPA5E1T2RB  1769817600000  1769824800000  2h0m0s       34656        296          74           98947
`,
  );
  assert.match(await printed('list', '-r', KILLED), / 2026-01-31 00:00:00 \+0000 UTC .* 96KiB643B\n$/);
});

test('tsdb analyze', async () => {
  assert.equal(
    await printed('analyze', '--limit=1', KILLED),
    `Block ID: 01M7Y0DYVRQYB5RRVPA5E1T2RB
Duration: 2h0m0s
Total Series: 74
Label names: 7
Postings (unique label pairs): 29
Postings entries (total label pairs): 250

Label pairs most involved in churning:
0 __name__=fx.utf8 name

Label names most involved in churning:
0 __name__

Most common label pairs:
66 job=app

Label names with highest cumulative label value length:
111 __name__

Highest cardinality labels:
12 __name__

Highest cardinality metric names:
24 fx_dur_bucket
`,
  );
});

test('tsdb dump: floats and native histograms, in order', async () => {
  const selector = '--match={__name__=~"fx_req_total|fx_nhcb",instance="k0:80"}';
  assert.equal(
    await printed('dump', '--max-time=1769817615000', selector, KILLED),
    `{__name__="fx_nhcb", instance="k0:80"} {count:6, sum:0, (1,2]:1, (2,5]:2, (5,+Inf]:3} 1769817600000
{__name__="fx_nhcb", instance="k0:80"} {count:7, sum:1, [-Inf,1]:1, (1,2]:1, (2,5]:2, (5,+Inf]:3} 1769817615000
{__name__="fx_req_total", code="200", instance="k0:80", job="app"} 0 1769817600000
{__name__="fx_req_total", code="200", instance="k0:80", job="app"} 1 1769817615000
{__name__="fx_req_total", code="500", instance="k0:80", job="app"} 0 1769817600000
{__name__="fx_req_total", code="500", instance="k0:80", job="app"} 0 1769817615000
`,
  );
});

test('tsdb dump-openmetrics: blocks made of it have the same', async () => {
  const text = await printed('dump-openmetrics', KILLED);
  assert.match(text, /^fx_dur_bucket\{instance="k0:80",job="app",le="0\.25"\} 1 1769817615\.000$/m);
  assert.ok(text.endsWith('\n# EOF\n'));
  const file = join(folder, 'dump.txt');
  writeFileSync(file, text);
  const target = join(folder, 'again');
  assert.match(await printed('create-blocks-from', 'openmetrics', file, target), /^BLOCK ULID .*\n\S{26} .*\n$/);
  assert.ok(text.startsWith('{"fx.utf8 name","l.x"="ž"} 0 1769817600.000\n'));
  assert.equal(await printed('dump-openmetrics', target), text);
});

const refused: [line: string[], error: string][] = [
  [[], "narthex: error: must select a subcommand of 'tsdb', try --help\n"],
  [['bogus'], 'narthex: error: expected command but got "bogus", try --help\n'],
  [['list', '-x'], "narthex: error: unknown short flag '-x', try --help\n"],
  [['list', 'nowhere'], 'opening the db dir: stat nowhere: no such file or directory\n'],
  [['analyze', KILLED, 'x'], 'invalid block ID x\n'],
  [['dump', '--match={', KILLED], '1:2: parse error: unexpected end of input inside braces\n'],
  [['create-blocks-from', 'openmetrics'], "narthex: error: required argument 'input file' not provided, try --help\n"],
  [['create-blocks-from', 'openmetrics', 'nowhere'], 'open nowhere: no such file or directory\n'],
  [['preview-policies', 'nowhere'], 'open nowhere: no such file or directory\n'],
];

for (const [line, error] of refused) {
  test(`tsdb ${line.join(' ')} is refused`, async () => {
    assert.deepEqual(await runTsdb(line), { code: 1, out: '', err: error });
  });
}

test('tsdb create-blocks-from openmetrics: a bad line leaves nothing behind', async () => {
  const file = join(folder, 'bad.txt');
  writeFileSync(file, 'a 1 1\na b 1\n# EOF\n');
  const target = join(folder, 'bad');
  const { code, err } = await runTsdb(['create-blocks-from', 'openmetrics', file, target]);
  assert.equal(code, 1);
  assert.equal(err, 'line 2: strconv.ParseFloat: parsing "b": invalid syntax while parsing: "a b"\n');
  assert.deepEqual(readdirSync(target), []);
});

test('tsdb --help and help of a command', async () => {
  assert.match(await printed('--help'), /^usage: narthex tsdb <command>/);
  assert.match(await printed('list', '--help'), / {2}-r, --\[no-\]human-readable +Print human readable values\.\n/);
});

const spans: [atMostHours: number, hours: number][] = [
  [1, 2],
  [2, 2],
  [5, 2],
  [6, 6],
  [24, 18],
  [54, 54],
];

for (const [atMost, hours] of spans) {
  test(`blocks of at most ${atMost} h span ${hours} h`, () =>
    assert.equal(blockSpan(atMost * 3_600_000), hours * 3_600_000));
}

const durations: [durationMs: number, text: string][] = [
  [0, '0s'],
  [1, '1ms'],
  [1000, '1s'],
  [94_001, '1m34.001s'],
  [7_140_001, '1h59m0.001s'],
  [-90_500, '-1m30.5s'],
];

for (const [durationMs, text] of durations) {
  test(`Go prints ${durationMs} ms as ${text}`, () => assert.equal(goDuration(durationMs), text));
}

const hashes: [text: string, hash: bigint][] = [
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
];

for (const [text, hash] of hashes) {
  test(`XXH64 of ${JSON.stringify(text)}`, () => assert.equal(xxhash64(Buffer.from(text)), hash));
}

test('a group is evaluated when a Prometheus would: at its offset', () => {
  const group = { file: 'rr.yml', name: 'one', intervalMs: 30_000 };
  assert.equal(firstEvaluation(group, 1_767_229_000_000) % 30_000, 1_767_233_839_066 % 30_000);
  assert.ok(firstEvaluation(group, 1_767_229_000_000) >= 1_767_229_000_000);
});

const badRules: [rules: string, error: string | RegExp][] = [
  ['[{name: "", rules: []}]', '0:0: Groupname must not be empty'],
  ['[{name: a, rules: []}, {name: a, rules: []}]', '0:0: groupname: "a" is repeated in the same file'],
  ['[{name: a, rules: [{expr: x}]}]', `0:0: 0:0: group "a", rule 1, "": one of 'record' or 'alert' must be set`],
  ['[{name: a, rules: [{record: x}]}]', `0:0: group "a", rule 1, "x": field 'expr' must be set in rule`],
  [
    '[{name: a, rules: [{record: x, expr: x, for: 1m}]}]',
    `1:37: group "a", rule 1, "x": invalid field 'for' in recording rule`,
  ],
  ['[{name: a, rules: [{record: x, expr: "sum("}]}]', /^1:46: group "a", rule 1, "x": could not parse expression: /],
  ['[{name: a, rules: [{record: x, expr: x, labels: {__name__: y}}]}]', /invalid label name: __name__$/],
  ['[{name: a, rulez: []}]', /field rulez not found in type rulefmt\.RuleGroup/],
];

for (const [rules, error] of badRules) {
  test(`rule file: ${rules} is refused`, () => {
    assert.throws(
      () => parseRuleFile(`groups: ${rules}`),
      (thrown) => {
        assert.ok(thrown instanceof ConfigError);
        const { message } = thrown;
        if (typeof error === 'string') assert.equal(message, error);
        else assert.match(message, error);
        return true;
      },
    );
  });
}
