import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Labels, labelsOf } from '../../../src/model/labels.js';
import { relabelRule } from '../../../src/relabel/rule.js';
import { buildTarget, type TargetTemplate } from '../../../src/scrape/target-labels.js';

const template: TargetTemplate = {
  jobName: 'node',
  scrapeIntervalMs: 90_000,
  scrapeTimeoutMs: 10_000,
  metricsPath: '/metrics',
  scheme: 'http',
  params: new Map(),
  relabelConfigs: [],
  metricNameValidationScheme: 'utf8',
};
const labels = (record: Record<string, string>): Labels => labelsOf(Object.entries(record));

function build(own: Record<string, string>, given: Partial<TargetTemplate> = {}, group: Record<string, string> = {}) {
  return buildTarget({ ...template, ...given }, labels(own), labels(group));
}

test('target: labels at every stage', () => {
  const relabelConfigs = [relabelRule({ sourceLabels: ['__meta_dc'], targetLabel: 'dc' })];
  const target = build(
    { __address__: 'a:1', __meta_dc: 'x', zone: 'own' },
    { relabelConfigs },
    { zone: 'group', rack: '7' },
  );
  assert.equal(target.kind, 'target');
  if (target.kind !== 'target') return;
  const scraping = {
    __address__: 'a:1',
    __metrics_path__: '/metrics',
    __scheme__: 'http',
    __scrape_interval__: '1m30s',
    __scrape_timeout__: '10s',
  };
  const plain = { job: 'node', rack: '7', zone: 'own' };
  assert.deepEqual(target.discovered, labels({ ...scraping, ...plain, __meta_dc: 'x' }));
  assert.deepEqual(target.internal, labels({ ...scraping, ...plain, dc: 'x', instance: 'a:1' }));
  assert.deepEqual(target.labels, labels({ ...plain, dc: 'x', instance: 'a:1' }));
  assert.equal(target.intervalMs, 90_000);
  assert.equal(target.timeoutMs, 10_000);
});

const urls: [name: string, own: Record<string, string>, given: Partial<TargetTemplate>, want: string][] = [
  ['plain', {}, {}, 'http://a:1/metrics'],
  ['no port is added', { __address__: 'a' }, {}, 'http://a/metrics'],
  ['IPv6', { __address__: '[::1]:9100' }, {}, 'http://[::1]:9100/metrics'],
  ['scheme and path by label', { __scheme__: 'https', __metrics_path__: '/m' }, {}, 'https://a:1/m'],
  ['a question mark in the path', { __metrics_path__: '/m?x=1' }, {}, 'http://a:1/m%3Fx=1'],
  [
    'params sorted, escaped',
    {},
    {
      params: new Map([
        ['z', ['1']],
        ['match[]', ['{a="b c"}', 'up']],
      ]),
    },
    'http://a:1/metrics?match%5B%5D=%7Ba%3D%22b+c%22%7D&match%5B%5D=up&z=1',
  ],
  [
    'the first value by label',
    { __param_x: 'L' },
    { params: new Map([['x', ['1', '2']]]) },
    'http://a:1/metrics?x=L&x=2',
  ],
  ['a param by label alone', { __param_target: 'h/x' }, {}, 'http://a:1/metrics?target=h%2Fx'],
];
for (const [name, own, given, want] of urls) {
  test(`url: ${name}`, () => {
    const target = build({ __address__: 'a:1', ...own }, given);
    assert.equal(target.kind === 'target' ? target.url : target.kind, want);
  });
}

const refused: [own: Record<string, string>, error: string][] = [
  [{ zone: 'a' }, 'no address'],
  [{ __address__: 'http://a' }, '"http://a" is not a valid hostname'],
  [
    { __address__: 'a', __scrape_interval__: 'often' },
    'error parsing scrape interval: not a valid duration string: "often"',
  ],
  [{ __address__: 'a', __scrape_interval__: '0' }, 'scrape interval cannot be 0'],
  [{ __address__: 'a', __scrape_timeout__: '0s' }, 'scrape timeout cannot be 0'],
  [
    { __address__: 'a', __scrape_timeout__: '5m' },
    'scrape timeout cannot be greater than scrape interval ("5m" > "1m30s")',
  ],
];
for (const [own, error] of refused) {
  test(`target: ${error}`, () => {
    const target = build(own);
    assert.equal(target.kind === 'invalid' ? target.error : target.kind, error);
  });
}

test('target: dropped by a rule, still with its discovered labels', () => {
  const target = build({ __address__: 'a' }, { relabelConfigs: [relabelRule({ action: 'drop' })] });
  assert.equal(target.kind, 'dropped');
  assert.ok(target.discovered.includes('__address__'));
});

const histogramLabels: [own: Record<string, string>, want: object | string][] = [
  [{}, {}],
  [{ __scrape_native_histograms__: 'true' }, { scrapeNativeHistograms: true }],
  [
    { __always_scrape_classic_histograms__: 'F', __convert_classic_histograms_to_nhcb__: '1' },
    { alwaysScrapeClassicHistograms: false, convertClassicHistogramsToNhcb: true },
  ],
  [
    { __scrape_native_histograms__: 'yes' },
    'error parsing scrape native histograms: strconv.ParseBool: parsing "yes": invalid syntax',
  ],
];
for (const [own, want] of histogramLabels) {
  test(`target: labels about histograms: ${JSON.stringify(own)}`, () => {
    const target = build({ __address__: 'a:1', ...own });
    if (target.kind !== 'target') return assert.equal(target.kind === 'invalid' && target.error, want);
    const { scrapeNativeHistograms, alwaysScrapeClassicHistograms, convertClassicHistogramsToNhcb } = target;
    const given = { scrapeNativeHistograms, alwaysScrapeClassicHistograms, convertClassicHistogramsToNhcb };
    assert.deepEqual(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)), want);
  });
}
