import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { type Config, expandEnvironment, parseConfig } from '../../../src/config/config.js';
import { discoveriesOf } from '../../../src/config/discovery.js';
import { renderConfig } from '../../../src/config/render.js';
import { formatBytes, parseBytes, Secret } from '../../../src/config/values.js';
import { labelsOf } from '../../../src/model/labels.js';
import { readTestdata } from '../../support/testdata.js';

const job = (yaml: string): string => `scrape_configs:\n- job_name: x\n${yaml.replace(/^/gm, '  ')}`;

const refused: [name: string, yaml: string, message: string][] = [
  [
    'unknown key',
    'global:\n  bogus: 1',
    'yaml: unmarshal errors:\n  line 2: field bogus not found in type config.plain',
  ],
  [
    'several faults, with their lines',
    'globl: {}\nscrape_configs:\n- job_name: a\n  honour_labels: true\n  honor_labels: maybe\n  sample_limit: -1\n  params: [1]\n',
    [
      'yaml: unmarshal errors:',
      '  line 1: field globl not found in type config.plain',
      '  line 4: field honour_labels not found in type config.ScrapeConfig',
      '  line 5: cannot unmarshal !!str `maybe` into bool',
      '  line 6: cannot unmarshal !!int `-1` into uint',
      '  line 7: cannot unmarshal !!seq into map[string][]string',
    ].join('\n'),
  ],
  [
    'key twice',
    'global:\n  scrape_interval: 1s\n  scrape_interval: 2s',
    'yaml: unmarshal errors:\n  line 3: field scrape_interval already set in type config.plain',
  ],
  [
    'a long value is cut',
    job('honor_labels: a_rather_long_text'),
    'yaml: unmarshal errors:\n  line 3: cannot unmarshal !!str `a_rathe...` into bool',
  ],
  [
    'a quoted boolean is text',
    job('honor_labels: "true"'),
    'yaml: unmarshal errors:\n  line 3: cannot unmarshal !!str `true` into bool',
  ],
  ['a mapping wanted', 'global: [1]', 'yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into config.plain'],
  ['duration without unit', 'global: {scrape_interval: 15}', 'not a valid duration string: "15"'],
  ['size without unit', job('body_size_limit: 100'), 'units: unknown unit  in 100'],
  ['no job name', 'scrape_configs: [{metrics_path: /x}]', 'job_name is empty'],
  [
    'two jobs of a name',
    'scrape_configs: [{job_name: a}, {job_name: a}]',
    'found multiple scrape configs with job name "a"',
  ],
  [
    'timeout above interval',
    job('scrape_timeout: 2m'),
    'scrape timeout greater than scrape interval for scrape config with job name "x"',
  ],
  [
    'global timeout above interval',
    'global: {scrape_interval: 1s, scrape_timeout: 2s}',
    'global scrape timeout greater than scrape interval',
  ],
  [
    'bad regex',
    job('relabel_configs: [{regex: "a(", target_label: b}]'),
    'error parsing regexp: missing closing ): `^(?s:a()$`',
  ],
  ['unknown action', job('relabel_configs: [{action: explode}]'), 'unknown relabel action "explode"'],
  ['a URL among targets', job('static_configs: [{targets: ["http://a"]}]'), '"http://a" is not a valid hostname'],
  ['tabs are no YAML', 'global:\n\tscrape_interval: 1s', 'yaml: line 2: '],
  ['an unknown anchor', 'global: *nope', 'yaml: '],
  [
    'TLS key without cert',
    job('tls_config: {key_file: k}'),
    'exactly one of cert or cert_file must be configured when a client key is configured',
  ],
  ['unknown TLS version', job('tls_config: {min_version: TLS14}'), 'unknown TLS version: TLS14'],
  [
    'a reserved header',
    job('http_headers: {Authorization: {values: [x]}}'),
    'setting header "Authorization" is not allowed',
  ],
  ['unknown proxy port', job('proxy_url: "http://a:b"'), 'parse "http://a:b": invalid port ":b" after host'],
  [
    'unknown fallback protocol',
    job('fallback_scrape_protocol: x'),
    'invalid fallback_scrape_protocol for scrape config with job name "x": unknown scrape protocol x, supported: ',
  ],
  ['rule files with two stars', 'rule_files: ["a/*/b"]', 'invalid rule file path "a/*/b"'],
];
for (const [name, yaml, message] of refused) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => parseConfig(yaml),
      (error: Error) => {
        assert.equal(error.name, 'ConfigError');
        assert.equal(error.message.slice(0, message.length), message);
        return true;
      },
    );
  });
}

const only = (yaml: string): Config['scrapeConfigs'][number] => parseConfig(yaml).scrapeConfigs[0]!;

test('an empty file, empty sections and comments alone are fine', () => {
  for (const yaml of ['', '\n', '# nothing', 'global:', 'global: {}', 'scrape_configs:', '---\n', 'null']) {
    const { global, scrapeConfigs } = parseConfig(yaml);
    assert.deepEqual(
      [global.scrapeIntervalMs, global.scrapeTimeoutMs, global.evaluationIntervalMs],
      [60_000, 10_000, 60_000],
    );
    assert.deepEqual(scrapeConfigs, []);
  }
});

test('scalars keep their text where text is wanted, and YAML 1.1 booleans are booleans only for bools', () => {
  const { jobName, params, honorLabels, staticConfigs } = only(
    'scrape_configs:\n- job_name: 1.10\n  honor_labels: yes\n  params: {a: [0x10, true, 2001-01-01, ~x]}\n  static_configs: [{targets: [no], labels: {a: 010, b: on, c: 1e3}}]',
  );
  assert.equal(jobName, '1.10');
  assert.equal(honorLabels, true);
  assert.deepEqual(params.get('a'), ['0x10', 'true', '2001-01-01', '~x']);
  assert.deepEqual(staticConfigs, [
    {
      targets: ['no'],
      labels: labelsOf([
        ['a', '010'],
        ['b', 'on'],
        ['c', '1e3'],
      ]),
    },
  ]);
});

test('a key without a value is empty, not the default', () => {
  const given = only(job('metrics_path:\nhonor_timestamps:\nrelabel_configs: [{regex: , target_label: a}]'));
  assert.equal(given.metricsPath, '');
  assert.equal(given.honorTimestamps, false);
  assert.equal(given.relabelConfigs[0]!.regex.source, '');
});

test('jobs take from the global section what they leave open', () => {
  const { scrapeConfigs } = parseConfig(`
global: {scrape_interval: 5s, sample_limit: 7, body_size_limit: 1MB, metric_name_validation_scheme: legacy, convert_classic_histograms_to_nhcb: true}
scrape_configs:
- {job_name: inherits}
- {job_name: own, scrape_interval: 1m, sample_limit: 9, body_size_limit: 2KB, metric_name_validation_scheme: utf8, convert_classic_histograms_to_nhcb: false}
`);
  const brief = scrapeConfigs.map((given) => [
    given.scrapeIntervalMs,
    given.scrapeTimeoutMs,
    given.sampleLimit,
    given.bodySizeLimitBytes,
    given.metricNameValidationScheme,
    given.metricNameEscapingScheme,
    given.convertClassicHistogramsToNhcb,
  ]);
  assert.deepEqual(brief, [
    [5_000, 5_000, 7, 1_048_576, 'legacy', 'underscores', true],
    [60_000, 5_000, 9, 2_048, 'utf8', 'allow-utf-8', false],
  ]);
});

test('native histograms put protobuf first, unless protocols are given', () => {
  assert.equal(only(job('scrape_native_histograms: true')).scrapeProtocols[0], 'PrometheusProto');
  assert.equal(only(job('{}').replace('  {}', '')).scrapeProtocols[0], 'OpenMetricsText1.0.0');
  assert.deepEqual(
    only(job('scrape_native_histograms: true\nscrape_protocols: [PrometheusText0.0.4]')).scrapeProtocols,
    ['PrometheusText0.0.4'],
  );
  const global = `global: {scrape_native_histograms: true}\n${job('scrape_native_histograms: false')}`;
  assert.equal(only(global).scrapeProtocols[0], 'OpenMetricsText1.0.0');
});

test('anchors, aliases and merge keys', () => {
  const { scrapeConfigs } = parseConfig(`
scrape_configs:
- &base {job_name: a, scrape_interval: 5s, honor_labels: true}
- <<: *base
  job_name: b
  scrape_interval: 9s
`);
  assert.deepEqual(
    scrapeConfigs.map((given) => [given.jobName, given.scrapeIntervalMs, given.honorLabels]),
    [
      ['a', 5_000, true],
      ['b', 9_000, true],
    ],
  );
});

test('a bomb of aliases is refused, soon', () => {
  const levels = Array.from(
    { length: 12 },
    (_, index) => `l${index + 1}: &l${index + 1} [${`*l${index},`.repeat(10)}]`,
  );
  const yaml = `scrape_configs:\n- job_name: x\n  kubernetes_sd_configs:\n  - {l0: &l0 [x], ${levels.join(', ')}}`;
  assert.throws(() => parseConfig(yaml), /excessive aliasing|not found in type/);
});

const environment = new Map([
  ['HOST', 'h1'],
  ['A_B', 'ab'],
]);
const expansions: [text: string, want: string][] = [
  ['plain', 'plain'],
  ['$HOST', 'h1'],
  ['${HOST}x', 'h1x'],
  ['$HOSTx', ''],
  ['$A_B-$HOST', 'ab-h1'],
  ['$$HOST', '$HOST'],
  ['$', '$'],
  ['a$-', 'a$-'],
];
for (const [text, want] of expansions) {
  test(`environment: ${text} → ${want}`, () =>
    assert.equal(
      expandEnvironment(text, (name) => environment.get(name)),
      want,
    ));
}

const sizes: [text: string, bytes: number, printed: string][] = [
  ['0', 0, '0B'],
  ['1B', 1, '1B'],
  ['15MB', 15 * 1024 ** 2, '15MiB'],
  ['1536KiB', 1536 * 1024, '1MiB512KiB'],
  ['1.5GB', 1.5 * 1024 ** 3, '1GiB512MiB'],
  ['1GB1MB', 1024 ** 3 + 1024 ** 2, '1GiB1MiB'],
];
for (const [text, bytes, printed] of sizes) {
  test(`size: ${text}`, () => {
    assert.equal(parseBytes(text), bytes);
    assert.equal(formatBytes(bytes), printed);
    assert.equal(parseBytes(printed), bytes);
  });
}

test('a secret never shows, however it is printed', () => {
  const secret = new Secret('hunter2');
  const shown = [
    `${secret}`,
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }),
    String([secret]),
  ];
  for (const text of shown) assert.ok(text.includes('<secret>') && !text.includes('hunter2'), text);
  assert.equal(secret.reveal(), 'hunter2');
});

const SECRETS = `
remote_write: [{url: "http://u:hunter2@h/", basic_auth: {username: u, password: hunter2}}]
scrape_configs:
- job_name: x
  bearer_token: hunter2
  tls_config: {key: hunter2, cert: c}
  http_headers: {X: {secrets: [hunter2]}}
  proxy_url: http://u:hunter2@p/
  proxy_connect_header: {X: [hunter2]}
  consul_sd_configs: [{token: hunter2, password: hunter2}]
  ec2_sd_configs: [{secret_key: hunter2}]
  http_sd_configs: [{url: "http://u:hunter2@h/", oauth2: {client_id: a, client_secret: hunter2, token_url: t}}]
  uyuni_sd_configs: [{server: a, username: b, password: hunter2}]
`;

test('rendering: no secret of any section gets out', () => {
  const text = renderConfig(parseConfig(SECRETS));
  assert.ok(!text.includes('hunter2'), text);
  assert.equal(text.match(/<secret>/g)?.length, 10);
  assert.equal(text.match(/xxxxx/g)?.length, 3);
});

test('rendering: what came out goes in again, and comes out the same', () => {
  for (const yaml of [
    SECRETS,
    job('static_configs: [{targets: [yes, 1, "a:1"], labels: {x: "010", y: 1.0, z: ""}}]'),
  ]) {
    const first = renderConfig(parseConfig(yaml));
    assert.equal(renderConfig(parseConfig(first)), first);
  }
});

test('rendering: the form of Prometheus', () => {
  const text = renderConfig(
    parseConfig(
      job('relabel_configs: [{source_labels: [a, b], regex: 5, action: Keep}]\nstatic_configs: [{targets: [yes]}]'),
    ),
  );
  assert.equal(
    text,
    `global:
  scrape_interval: 1m
  scrape_timeout: 10s
  scrape_protocols:
  - OpenMetricsText1.0.0
  - OpenMetricsText0.0.1
  - PrometheusText1.0.0
  - PrometheusText0.0.4
  evaluation_interval: 1m
runtime:
  gogc: 75
scrape_configs:
- job_name: x
  honor_timestamps: true
  track_timestamps_staleness: false
  scrape_interval: 1m
  scrape_timeout: 10s
  scrape_protocols:
  - OpenMetricsText1.0.0
  - OpenMetricsText0.0.1
  - PrometheusText1.0.0
  - PrometheusText0.0.4
  scrape_native_histograms: false
  always_scrape_classic_histograms: false
  convert_classic_histograms_to_nhcb: false
  extra_scrape_metrics: false
  metrics_path: /metrics
  scheme: http
  enable_compression: true
  metric_name_validation_scheme: utf8
  metric_name_escaping_scheme: allow-utf-8
  follow_redirects: true
  enable_http2: true
  relabel_configs:
  - source_labels: [a, b]
    separator: ;
    regex: "5"
    replacement: $1
    action: keep
  static_configs:
  - targets:
    - "yes"
otlp:
  translation_strategy: UnderscoreEscapingWithSuffixes
  label_name_underscore_sanitization: true
  label_name_preserve_multiple_underscores: true
`,
  );
});

test('rendering: what Prometheus 3.5 printed of the same file, but for keys it did not have', () => {
  const environment = (name: string): string | undefined => (name === 'NARTHEX_TEST_ENV' ? 'value' : undefined);
  const ours = renderConfig(parseConfig(readTestdata('config/full.yml'), { environment })).split('\n');
  const theirs = readTestdata('config/status-config.yml').split('\n');
  const newer = /^ *(?:scrape_native_histograms|extra_scrape_metrics|label_name_\w+): /;
  // A slip of its own: the field has no name for YAML, so it prints once more, in milliseconds.
  const slip = /^ *outofordertimewindow: /;
  assert.deepEqual(
    ours.filter((line) => !newer.test(line)),
    theirs.filter((line) => !slip.test(line)),
  );
});

test('discovery: sections of all kinds are kept as data', () => {
  const sections = discoveriesOf(
    only(job('dns_sd_configs: [{names: [a]}]\ndocker_sd_configs: [{host: s, match_first_network: true, port: 5}]')),
  );
  const asData = sections.map(({ kind, settings }) => ({ kind, settings }));
  assert.deepEqual(asData, [
    { kind: 'dns', settings: new Map([['names', ['a']]]) },
    {
      kind: 'docker',
      settings: new Map<string, unknown>([
        ['host', 's'],
        ['match_first_network', true],
        ['port', 5],
      ]),
    },
  ]);
});
