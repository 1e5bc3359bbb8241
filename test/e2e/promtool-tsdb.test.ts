// `narthex tsdb` beside the real promtool: the same lines of the same directories, the same blocks of the same texts.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '../../src/base/prng.js';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';
import { runTsdb, type ToolRun } from '../support/tool.js';

const promtool = peerBinary('promtool');
const skip = promtool === undefined ? missing('promtool') : conformanceMissing();

const folder = emptyFolder();
const blocks = join(folder, 'blocks');
if (skip === false) {
  cpSync(conformance('tsdb/blocks/data'), blocks, { recursive: true });
  // promtool reads no directory without one.
  mkdirSync(join(blocks, 'wal'));
  mkdirSync(join(folder, 'empty'));
}

function runPromtool(line: readonly string[]): ToolRun {
  const run = spawnSync(promtool!, ['tsdb', ...line], { encoding: 'utf8', maxBuffer: 2 ** 28, cwd: folder });
  return { code: run.status!, out: run.stdout, err: run.stderr };
}

const samePrint: string[][] = [
  ['list', blocks],
  ['list', '-r', blocks],
  ['list', join(folder, 'empty')],
  ['list', join(folder, 'nothing')],
  ['dump', blocks],
  ['dump', '--match={__name__=~"fx_special"}', '--match', 'fx_const', blocks],
  ['dump', '--min-time=1767232620000', '--max-time=1767240000000', '--match={id=~"1.*"}', blocks],
  ['dump-openmetrics', blocks],
  ['analyze', join(folder, 'empty')],
  ['analyze', blocks, '01M7Y0DXJ9842ERM7HS55F3Y8Q'],
];

for (const line of samePrint) {
  test(`promtool tsdb ${line.join(' ')}`, { skip }, async () => {
    const want = runPromtool(line);
    const got = await runTsdb(line);
    assert.equal(got.code, want.code);
    assert.equal(got.out, want.out);
    if (want.code !== 0) assert.equal(got.err, want.err);
  });
}

for (const line of [
  ['analyze', '--extended', '--limit=1000'],
  ['analyze', '--limit=1000', '--match={__name__=~"fx_l.*"}'],
]) {
  test(`promtool tsdb ${line.join(' ')}, whose lists have no order among equal ones`, { skip }, async () => {
    for (const ulid of ['', ...readdirSync(blocks).filter((name) => name !== 'wal')]) {
      const whole = [...line, blocks, ...(ulid === '' ? [] : [ulid])];
      const sorted = ({ out }: ToolRun) => out.split('\n').sort();
      assert.deepEqual(sorted(await runTsdb(whole)), sorted(runPromtool(whole)));
    }
  });
}

const refused: [line: string[], saysTheSame: boolean][] = [
  [['bogus'], true],
  [['list', '--bogus'], true],
  [['list', 'a', 'b'], true],
  [['dump', '--min-time=x', blocks], false],
  [['dump', '--match={a', blocks], false],
  [['create-blocks-from', 'openmetrics'], true],
  [['create-blocks-from', 'openmetrics', 'nothing'], false],
  [['create-blocks-from', 'rules', 'x.yml'], true],
];

for (const [line, saysTheSame] of refused) {
  test(`promtool refuses: tsdb ${line.join(' ')}`, { skip }, async () => {
    const want = runPromtool(line);
    const got = await runTsdb(line);
    assert.equal(want.code, 1);
    assert.equal(got.code, 1);
    assert.equal(got.out, '');
    assert.notEqual(got.err, '');
    if (saysTheSame) assert.equal(got.err, want.err.replace('promtool', 'narthex'));
  });
}

/** Series over some hours, one after the other, in the order that promtool needs. */
function randomText(seed: number): string {
  const prng = new Prng(seed);
  const lines: string[] = [];
  for (let i = 0; i < 60; i++) {
    const series = `m${i % 7}${i % 7 === 3 ? '_bucket' : ''}{id="${i}",x="${prng.pick(['a', 'é', 'q\\"', '\\\\n', 'l\\nb'])}"}`;
    const step = prng.pick([15, 60, 61.5, 1800]);
    let time = 1_767_225_600 + prng.int(3 * 3600);
    for (let left = prng.int(200); left > 0; left--, time += step) {
      lines.push(`${series} ${prng.pick(['1', '-0', '+Inf', 'NaN', '5e-324', String(prng.int(1e9) / 8)])} ${time}`);
    }
  }
  return `# TYPE m3 histogram\n${lines.join('\n')}\n# EOF\n`;
}

/** Where chunks end is foreseen in their head, and not in ours. */
const WITHOUT_CHUNKS = /^(\s+(?:\S+\s+){4})\S+/;

const texts: [name: string, text: string, flags: string[]][] = [
  ['counters', '# TYPE a counter\na_total{b="c"} 1 1609954636\na_total{b="c"} 2 1609964636.5\n# EOF\n', []],
  ['borders of histograms', '# TYPE h histogram\nh_bucket{le="1"} 1 1\nh_bucket{le="+Inf"} 1 1\n# EOF\n', []],
  ['exemplars', '# TYPE a counter\na_total 1 1 # {t="x"} 1 1\n# EOF\n', ['--label=job=y', '--label=a=']],
  ['names in quotes', '{"a b","c.d"="e"} 1 1\n# EOF\n', []],
  ['two of one time', 'a 2 1\na 1 1\nb 1 1\na 3 1\n# EOF\n', []],
  ['random 1', randomText(1), []],
  ['random 2', randomText(2), ['--max-block-duration=12h']],
  ['random 3', randomText(3), ['--max-block-duration=24h', '--label=job=x']],
];

for (const [name, text, flags] of texts) {
  test(`promtool makes the same blocks: ${name}`, { skip }, async () => {
    const home = join(folder, name);
    mkdirSync(home);
    writeFileSync(join(home, 'text'), text);
    const runs = [];
    for (const [who, run] of [
      ['theirs', async (line: string[]) => runPromtool(line)],
      ['ours', runTsdb],
    ] as const) {
      const target = join(home, who);
      const made = await run(['create-blocks-from', 'openmetrics', ...flags, join(home, 'text'), target]);
      assert.equal(made.code, 0, made.err);
      mkdirSync(join(target, 'wal'));
      // Names and sizes are not the same: theirs have an index of labels that nobody reads.
      const printed = made.out.split('\n').map((row) =>
        row
          .replace(/^\S{26}/, '')
          .replace(/\d+$/, '')
          .replace(WITHOUT_CHUNKS, '$1'),
      );
      const dump = runPromtool(['dump', target]);
      assert.equal(dump.code, 0, dump.err);
      runs.push({ printed, dump: dump.out, ours: (await runTsdb(['dump', target])).out });
    }
    assert.deepEqual(runs[1], runs[0]);
    assert.equal(runs[1]!.ours, runs[1]!.dump);
  });
}

const badTexts: string[] = [
  'a 1 1\n',
  'a 1\n# EOF\n',
  'a 1 1\n\n# EOF\n',
  'a{b="c",b="d"} 1 1\n# EOF\n',
  '# UNIT a_x y\na 1 1\n# EOF\n',
  'a 1 1\n# EOF\nb 1 1\n',
];

for (const text of badTexts) {
  test(`promtool refuses ${JSON.stringify(text)}`, { skip }, async () => {
    const home = mkdtempSync(join(folder, 'bad-'));
    writeFileSync(join(home, 'text'), text);
    const line = ['create-blocks-from', 'openmetrics', join(home, 'text')];
    assert.equal(runPromtool([...line, join(home, 'theirs')]).code, 1);
    const got = await runTsdb([...line, join(home, 'ours')]);
    assert.equal(got.code, 1);
    assert.deepEqual(readdirSync(join(home, 'ours')), [], 'nothing is left');
  });
}

test('promtool loses what comes late, and we do not', { skip }, async () => {
  const home = mkdtempSync(join(folder, 'late-'));
  writeFileSync(join(home, 'text'), 'a 1 5\na 2 1\n# EOF\n');
  const line = ['create-blocks-from', 'openmetrics', '-q', join(home, 'text')];
  assert.equal(runPromtool([...line, join(home, 'theirs')]).code, 0);
  assert.equal((await runTsdb([...line, join(home, 'ours')])).out, '');
  assert.equal((await runTsdb(['dump', join(home, 'theirs')])).out, '{__name__="a"} 1 5000\n');
  assert.equal((await runTsdb(['dump', join(home, 'ours')])).out, '{__name__="a"} 2 1000\n{__name__="a"} 1 5000\n');
});

/** Lines of one that the other has not. */
function missingIn(some: string, others: string): string[] {
  const there = new Set(others.split('\n'));
  return some.split('\n').filter((line) => !there.has(line));
}

test('promtool dumps what is only in the logs, and so do we; the directory stays as it is', { skip }, async () => {
  const killed = join(folder, 'killed');
  cpSync(conformance('tsdb/killed/data'), killed, { recursive: true });
  const filesOf = () => readdirSync(killed, { recursive: true }).map(String).sort();
  const files = filesOf();
  const [theirs, ours] = [runPromtool(['dump', killed]), await runTsdb(['dump', killed])];
  assert.equal(ours.code, 0, ours.err);
  assert.ok(theirs.out.split('\n').length > 70_000);
  assert.deepEqual(missingIn(theirs.out, ours.out), []);
  // Of a series of native histograms it leaves out the first.
  const more = missingIn(ours.out, theirs.out);
  assert.deepEqual(
    more.map((line) => line.slice(0, line.indexOf(','))),
    ['{__name__="fx_nh"', '{__name__="fx_nh"', '{__name__="fx_nh"', '{__name__="fx_nhcb"'],
  );
  const text = (await runTsdb(['dump-openmetrics', killed])).out;
  // Names that need quotes are not OpenMetrics without.
  const theirText = runPromtool(['dump-openmetrics', killed]).out.replaceAll(
    'fx.utf8 name{l.x=',
    '{"fx.utf8 name","l.x"=',
  );
  assert.deepEqual(missingIn(text, theirText), []);
  // Stale markers, which it says it leaves out.
  for (const line of missingIn(theirText, text)) assert.match(line, / NaN \d+\.\d{3}$/);
  assert.deepEqual(filesOf(), files);
});
