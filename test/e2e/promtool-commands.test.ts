// Command lines of the real promtool and of ours, over the same files, pages and servers: the same words on both streams
// and the same exit code.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { emptyFolder } from '../support/folders.js';
import { missing, peerBinary } from '../support/peers.js';
import { withCopy } from '../support/recorded-tsdb.js';
import { type Server, startPeer } from '../support/servers.js';
import { conformance, conformanceMissing } from '../support/testdata.js';
import { runLine, type ToolRun } from '../support/tool.js';

const prometheus = peerBinary('prometheus');
const promtool = peerBinary('promtool');
const skip =
  prometheus === undefined
    ? missing('prometheus')
    : promtool === undefined
      ? missing('promtool')
      : conformanceMissing();

const folder = emptyFolder();
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** A server with recorded samples. */
let server: Server;
let release: () => void = () => {};
let copied: Promise<void> = Promise.resolve();

before(async () => {
  if (skip !== false) return;
  await new Promise<void>((resolve, reject) => {
    copied = withCopy(conformance('tsdb/blocks'), async (data) => {
      const flags = ['--storage.tsdb.retention.time=100y', '--web.enable-remote-write-receiver'];
      server = await startPeer(prometheus!, { data, flags });
      resolve();
      await new Promise<void>((done) => {
        release = done;
      });
      await server.stop();
    });
    copied.catch(reject);
  });
});

after(async () => {
  release();
  await copied;
});

const AT = '1767240000';
const RANGE = ['--start=1767238200', '--end=1767240000'];
const DOWN = 'http://127.0.0.1:1';

const PAGE = `# HELP good_bytes_total Bytes.
# TYPE good_bytes_total counter
good_bytes_total{a="x"} 1
good_bytes_total{a="y"} 2
# TYPE bad_milliseconds gauge
bad_milliseconds_total 1
# TYPE requests counter
requests{camelCase="1",le="2"} 5
requests{camelCase="1",le="2"} 6
# HELP rpc_seconds How long.
# TYPE rpc_seconds summary
rpc_seconds{quantile="0.5"} 0.2
rpc_seconds{quantile="0.9"} 0.4
rpc_seconds_sum 10
rpc_seconds_count 50
# HELP size_kilobytes Size.
# TYPE size_kilobytes histogram
size_kilobytes_bucket{le="1"} 1
size_kilobytes_bucket{le="1e+06"} 3
size_kilobytes_bucket{le="+Inf"} 4
size_kilobytes_sum 17
size_kilobytes_count 4
# HELP a:b_ms Colon, and \\\\ a line\\nof two.
# TYPE a:b_ms untyped
a:b_ms 1
# HELP my_gauge_s Type in it.
# TYPE my_gauge_s gauge
my_gauge_s 2
# HELP last_timestamp_seconds No gauge.
# TYPE last_timestamp_seconds counter
last_timestamp_seconds 2
# HELP wrong_count Reserved.
# TYPE wrong_count gauge
wrong_count 2
no_help_kilometers_days NaN
`;

/** Which the linter of 3.5.3 refuses, and newer ones do not. */
const DOTS = `# HELP "with.dots" Dots.
# TYPE "with.dots" gauge
{"with.dots","l.x"="é\\"\\\\\\n"} -1.5e3
`;

interface Case {
  readonly line: readonly string[];
  readonly input?: string;
}

const lines = (...all: readonly (readonly string[])[]): Case[] => all.map((line) => ({ line }));
const pages = (line: readonly string[], ...inputs: readonly string[]): Case[] =>
  inputs.map((input) => ({ line, input }));

const CONFIG = `
scrape_configs:
- job_name: fixed
  relabel_configs:
  - {source_labels: [__address__], regex: 'gone:.*', action: drop}
  - {source_labels: [__address__], regex: '(.*):.*', target_label: host}
  static_configs:
  - {targets: ['a:1', 'gone:2', 'x/y'], labels: {zone: "<north>"}}
- job_name: files
  file_sd_configs: [{files: [targets.json]}]
`;

const ODD_RULES = `groups:
- name: ""
  labels: {"": x, __name__: y}
  rules: [{record: a, expr: up, labels: {"__name__": x}}]
- name: g
- name: g
  rules:
  - record: a
    alert: b
    expr: up
  - {alert: a}
  - {record: "a-b", expr: up, annotations: {x: y}, for: 5m, keep_firing_for: 1m}
  - {alert: "a{b}", expr: "sum(", annotations: {"": x}, labels: {"a b": "{{ .X"}}
  - {}
`;

const CASES: readonly (() => readonly Case[])[] = [
  // ---- Lines that are wrong
  () =>
    lines(
      ['check'],
      ['check', 'nothing'],
      ['check', 'config'],
      ['check', 'config', join(folder, 'none.yml')],
      ['check', 'config', '--nothing'],
      ['check', '-x', 'config'],
      ['query', 'instant'],
      ['query', 'instant', 'http://x'],
      ['query', 'instant', 'http://x', 'up', 'down'],
      ['query', '-o', 'xml', 'instant', 'http://x', 'up'],
      ['query', 'instant', '--format'],
      ['query', 'instant', '--time=x', server.url, 'up'],
      ['query', 'range', '--header=x', server.url, 'up'],
      ['query', '--time=1', 'instant', server.url, 'up'],
      ['query', 'range', '--start=5', '--end=3', server.url, 'up'],
      ['query', 'range', '--start=x', server.url, 'up'],
      ['query', 'range', '--end=x', server.url, 'up'],
      ['query', 'range', '--step=x', server.url, 'up'],
      ['query', 'series', server.url],
      ['query', 'series', '--match=up', '--start=a', server.url],
      ['query', 'series', '--match=up', '--end=a', server.url],
      ['query', 'analyze', `--server=${server.url}`, '--type=gauge', '--match=up'],
      ['query', 'analyze', `--server=${server.url}`, '--type=histogram', '--match=up', '--time=x'],
      ['push', 'metrics'],
      ['push', 'metrics', server.url, join(folder, 'none.prom')],
      ['push', 'metrics', '--label=x', server.url],
      ['debug', 'metrics'],
      ['promql', 'format', 'up'],
      ['promql', 'label-matchers', 'set', 'up', 'a', 'b'],
      ['promql', 'label-matchers', 'delete', 'up', 'a'],
      ['--experimental', 'promql', 'label-matchers', 'set', '-t', '==', 'up', 'a', 'b'],
    ),
  // ---- Queries
  () =>
    (['promql', 'json'] as const).flatMap((format) =>
      lines(
        ...[
          'fx_load',
          'sum by (job) (fx_load)',
          'fx_nothing',
          '1.5',
          'fx_load[2m]',
          'fx_special',
          'vector(1e21)',
          'vector(0.0000001)',
          '-Inf',
          'vector(time())',
          'label_replace(vector(1), "x", "<&é\\n>", "", "")',
          '{__name__=~"fx_.*hist.*"}',
          '{__name__=~"fx_.*hist.*"}[1m]',
        ].map((query) => ['query', '-o', format, 'instant', `--time=${AT}`, server.url, query]),
        ['query', 'instant', '-o', format, `--time=2026-01-01T04:00:00Z`, `${server.url}/`, 'fx_load'],
        ['query', 'range', `-o${format}`, ...RANGE, '--step=10m', server.url, 'sum(fx_load)'],
        ['query', 'range', `--format=${format}`, ...RANGE, '--step=7.5m', server.url, 'fx_load'],
        ['query', 'range', `--format=${format}`, ...RANGE, server.url, 'count(fx_load)'],
        ['query', 'range', `--format=${format}`, ...RANGE, server.url, 'fx_nothing'],
        ['query', 'range', `--format=${format}`, ...RANGE, '--step=10m', server.url, '{__name__=~"fx_.*hist.*"}'],
        ['query', 'series', '-o', format, '--match=fx_load', ...RANGE, server.url],
        ['query', 'series', '-o', format, '--match=fx_load', '--match=fx_special', server.url],
        ['query', 'series', '-o', format, '--match=fx_nothing', server.url],
        ['query', 'labels', '-o', format, ...RANGE, server.url, 'job'],
        ['query', 'labels', '-o', format, '--match=fx_load', server.url, '__name__'],
        ['query', 'labels', '-o', format, server.url, 'nothing'],
      ),
    ),
  // ---- What servers refuse, and servers that are none
  () =>
    lines(
      ['query', 'instant', server.url, 'up +'],
      ['query', 'range', ...RANGE, '--step=1ms', server.url, 'up'],
      ['query', 'range', ...RANGE, server.url, 'up['],
      ['query', 'series', '--match={}', server.url],
      ['query', 'series', '--match=up{', server.url],
      ['query', 'labels', server.url, 'a-b'],
      ['query', 'labels', '--match={', server.url, 'a'],
      ['query', 'instant', `${server.url}/nowhere`, 'up'],
      ['query', 'instant', DOWN, 'up'],
      ['query', 'range', ...RANGE, DOWN, 'up'],
      ['query', 'series', '--match=up', ...RANGE, DOWN],
      ['query', 'labels', ...RANGE, DOWN, 'job'],
      ['query', 'analyze', `--server=${DOWN}`, '--type=histogram', '--match=up'],
      ['query', 'analyze', `--server=${server.url}`, '--type=histogram', '--match=up{'],
      ['check', 'healthy', `--url=${server.url}`],
      ['check', 'ready', `--url=${server.url}/`],
      ['check', 'ready', `--url=${server.url}/nowhere`],
      ['check', 'healthy', `--url=${DOWN}`],
      ['debug', 'metrics', DOWN],
    ),
  // ---- Histograms
  () =>
    lines(
      ...['{__name__=~"fx_.*hist.*"}', '{__name__=~"fx_.*_bucket"}', 'fx_load', 'fx_nothing'].map((match) => [
        ...['query', 'analyze', `--server=${server.url}`, '--type=histogram', `--time=${AT}`, '--duration=30m'],
        `--match=${match}`,
      ]),
    ),
  // ---- --http.config.file
  () => {
    const good = file('good.yml', 'basic_auth: {username: u, password: p}\nhttp_headers: {X-One: {values: [a]}}\n');
    const bad = file('bad.yml', 'basic_auth: {username: u}\nbearer_token: x\n');
    const odd = file('odd.yml', 'nothing: 1\n');
    return lines(
      ['query', `--http.config.file=${good}`, 'instant', `--time=${AT}`, server.url, 'fx_load'],
      ['query', 'instant', `--http.config.file=${bad}`, server.url, 'fx_load'],
      ['query', 'instant', `--http.config.file=${odd}`, server.url, 'fx_load'],
      ['query', 'instant', `--http.config.file=${join(folder, 'none.yml')}`, server.url, 'fx_load'],
      ['query', 'instant', `--http.config.file=${good}`, server.url.replace('//', '//u:p@'), 'fx_load'],
      ['query', 'instant', `--time=${AT}`, server.url.replace('//', '//u:p@'), 'fx_load'],
      ['check', 'healthy', `--http.config.file=${good}`, `--url=${server.url}`],
    );
  },
  // ---- Metrics
  () => [
    ...pages(['check', 'metrics'], PAGE, '', '\n\n# a comment\n'),
    ...pages(['check', 'metrics', '--extended'], '# HELP up Up.\nup{a="1"} 1\nup{a="2"} 1\n# HELP b B.\nb 1\n'),
    ...pages(
      ['check', 'metrics'],
      ...[
        'up',
        'up 1',
        'up x\n',
        'up 1 x\n',
        'up 1 2 3\n',
        'up{\n',
        'up{a\n',
        'up{a} 1\n',
        'up{a=b} 1\n',
        'up{a="b} 1\n',
        'up{a="b"} 1\nup{a="b\nc"} 1\n',
        'up{a="\\x"} 1\n',
        'up{a="b"c} 1\n',
        'up{__name__="b"} 1\n',
        'up{1a="b"} 1\n',
        '1up 1\n',
        '{} 1\n',
        '{a="b"} 1\n',
        '{"a","b"} 1\n',
        '{"a"x} 1\n',
        '# TYPE a nothing\n',
        '# TYPE a counter\n# TYPE a gauge\n',
        'a 1\n# TYPE a gauge\n',
        '# HELP a b\n# HELP a c\n',
        '# HELP a \\x\n',
        '# TYPE a-b gauge\n',
        '# TYPE a histogram\na_bucket{le="x"} 1\n',
        '# TYPE a histogram\na_bucket{le="1"} -1\n',
        '# TYPE a histogram\na_count -1.5\n',
        '# TYPE a summary\na{quantile="x"} 1\n',
        '# HELP a b\r\na 1\n',
        'a 0x10\n',
        'a 1_000\n',
        'a +Inf\nb nan\n',
      ],
    ),
  ],
  // ---- Expressions
  () =>
    lines(
      ...[
        'up',
        'sum by(job)(rate(http_requests_total{code=~"5..",job="a very long name of a job"}[5m]))/sum(rate(x[5m]))',
        'up +',
        'sum(',
        'foo{a="b", x!="c"} offset 5m @ 1',
        '{"with.dots", x="1"}',
      ].flatMap((query) => [
        ['--experimental', 'promql', 'format', query],
        ['promql', 'label-matchers', 'set', '--experimental', query, 'a', 'new'],
        ['promql', '--experimental', 'label-matchers', 'set', '-t', '!~', query, 'other', '.*"x'],
        ['promql', 'label-matchers', 'set', '--type==~', '--experimental', query, '__name__', 'x.*'],
        ['promql', 'label-matchers', 'delete', '--experimental', query, 'a'],
        ['promql', 'label-matchers', 'delete', '--experimental', query, 'x'],
      ]),
    ),
  // ---- Discovery
  () => {
    file('targets.json', '[{"targets": ["f:1"], "labels": {"a": "b"}}]');
    const config = file('sd.yml', CONFIG);
    const bad = file('sd-bad.yml', 'scrape_configs: [{}]');
    return lines(
      ['check', 'service-discovery', '--timeout=1s', config, 'fixed'],
      ['check', 'service-discovery', '--timeout=1s', config, 'files'],
      ['check', 'service-discovery', config, 'other'],
      ['check', 'service-discovery', bad, 'other'],
    );
  },
  // ---- Files that are checked
  () => {
    const extra = 'groups: [{name: g, owner: me, rules: [{record: a, expr: up, note: x}, {record: a, expr: up}]}]';
    const rules = file('extra.yml', extra);
    const config = file('extra-config.yml', 'rule_files: [extra.yml]');
    const web = file('web.yml', 'basic_auth_users: {a: $2y$10$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu}');
    const badWeb = file('web-bad.yml', 'nothing: 1');
    const tests = file('tests.yml', 'rule_files: [extra.yml]\ntests: [{promql_expr_test: [{expr: a, eval_time: 0}]}]');
    const odd = file('tests-odd.yml', 'rule_files: [extra.yml]\nowner: me\ntests: [{owner: you}]');
    file('broken-rules.yml', 'groups: [{name: g, rules: [{record: a, expr: up +}, {alert: "", expr: x}]}, {name: g}]');
    const broken = file('tests-broken.yml', 'rule_files: [broken-rules.yml]\ntests: [{}]');
    const scraping = (text: string) => `scrape_configs: [{job_name: x, ${text}}]`;
    const alerting = (text: string) => `alerting: {alertmanagers: [{${text}}]}`;
    const none = join(folder, 'nowhere');
    file('bad-targets.json', '[{"targets": ["x/y"]}]');
    file('config-a.yml', alerting('static_configs: [{targets: ["http://x"]}]'));
    file('config-b.yml', alerting('file_sd_configs: [{files: [none.json]}]'));
    file('config-c.yml', scraping('file_sd_configs: [{files: [bad-targets.json]}]'));
    file('config-d.yml', scraping(`tls_config: {cert_file: ${none}, key_file: ${none}}`));
    file('config-e.yml', scraping(`authorization: {credentials_file: ${none}}`));
    file('config-f.yml', scraping('static_configs: [{targets: ["http://x"]}]'));
    file(
      'config-g.yml',
      scraping(
        `kubernetes_sd_configs: [{role: pod, api_server: http://x, tls_config: {cert_file: ${none}, key_file: ${none}}}]`,
      ),
    );
    file('config-i.yml', scraping(`tls_config: {ca_file: ${none}}`));
    file('config-j.yml', scraping(`basic_auth: {username: u, password_file: ${none}}`));
    file('config-k.yml', alerting('file_sd_configs: [{files: [web.yml]}]'));
    file('config-h.yml', scraping('scrape_interval: 45s'));
    return [
      ...lines(
        ['check', 'rules', rules],
        ['check', 'rules', '--ignore-unknown-fields', rules],
        ['check', 'rules', '--lint=none,odd', '--ignore-unknown-fields', rules],
        ['check', 'rules', '--lint=all', '--lint-fatal', '--ignore-unknown-fields', rules],
        ['check', 'config', config],
        ['check', 'config', '--ignore-unknown-fields', config],
        ['check', 'config', '--ignore-unknown-fields', '--lint=odd,duplicate-rules', '--lint-fatal', config],
        ['check', 'web-config', web, badWeb],
        ['check', 'rules', file('odd-rules.yml', ODD_RULES)],
        ['test', 'rules', tests],
        ['test', 'rules', '--ignore-unknown-fields', tests],
        ['test', 'rules', '--ignore-unknown-fields', odd, tests],
        ['test', 'rules', broken],
        ['test', '--junit=/nowhere/x', 'rules', tests],
        ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'i', 'j', 'k'].flatMap((name) => [
          ['check', 'config', join(folder, `config-${name}.yml`)],
          ['check', 'config', '--syntax-only', join(folder, `config-${name}.yml`)],
        ]),
        ['check', 'config', '--lint=all', '--query.lookback-delta=30s', join(folder, 'config-h.yml')],
      ),
    ];
  },
  // ---- Remote write
  () => {
    const one = file('one.prom', PAGE + DOTS);
    const two = file('two.prom', 'up 1');
    const write = `${server.url}/api/v1/write`;
    return [
      ...lines(
        ['push', 'metrics', '--label=job=files', write, one, two],
        ['push', 'metrics', `${server.url}/api/v1/nothing`, one],
        ['push', 'metrics', `${DOWN}/api/v1/write`, one],
      ),
      ...pages(['push', 'metrics', '--label=a=b', '--header=X-One=y', write], 'up{job="mine"} 3\n', 'up{'),
    ];
  },
];

for (const [index, cases] of CASES.entries()) {
  test(`command lines, part ${index + 1}`, { skip, timeout: 120_000 }, async () => {
    const wrong: unknown[] = [];
    for (const { line, input = '' } of cases()) {
      // promtool prints classic histograms in no order.
      const isUnordered = line.includes('analyze');
      const want = told(await runPeer(line, input), isUnordered);
      const got = told(await runLine(line, undefined, input), isUnordered);
      try {
        assert.deepEqual(got, want);
      } catch {
        wrong.push({ line: line.join(' '), input, want, got });
      }
    }
    assert.deepEqual(wrong, []);
  });
}

test('what is pushed arrives the same', { skip }, async () => {
  const page = file('pushed.prom', PAGE.replace(/^requests.*\n/gm, '') + DOTS);
  const line = (job: string) => ['push', 'metrics', `--label=job=${job}`, `${server.url}/api/v1/write`, page];
  const runs = [await runPeer(line('theirs'), ''), await runLine(line('ours'))];
  assert.deepEqual(runs[1], runs[0]);
  const stored = async (job: string) => {
    const run = await runLine(['query', '-o', 'json', 'instant', server.url, `{job="${job}"}`]);
    const samples = JSON.parse(run.out) as { metric: Record<string, string>; value: [number, string] }[];
    return samples.map(({ metric, value }) => JSON.stringify([{ ...metric, job: '' }, value[1]])).sort();
  };
  const [theirs, ours] = [await stored('theirs'), await stored('ours')];
  assert.ok(theirs.length > 15, theirs.join('\n'));
  assert.deepEqual(ours, theirs);
});

function runPeer(line: readonly string[], input: string): Promise<ToolRun> {
  return new Promise((resolve) => {
    const child = execFile(promtool!, line, { maxBuffer: 2 ** 28 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}

/** What is told of a run, without what we say in other words on purpose. */
function told({ code, out, err }: ToolRun, isUnordered: boolean): ToolRun {
  const plain = err.replace(/^promtool:/gm, 'narthex:').replace(/ \(in --[\w.-]+\)/g, '');
  return { code, out: isUnordered ? out.split('\n').sort().join('\n') : out, err: plain };
}
