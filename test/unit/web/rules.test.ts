import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ConfigError } from '../../../src/config/error.js';
import type { DryRunRequest, RuleGroupStatus, RuleStatus } from '../../../src/web/deps.js';
import { fakeDeps, NOW_MS, openApp, type TestApp } from '../../support/web.js';

const never = { health: 'unknown', lastError: '', seconds: 0, evaluatedMs: undefined } as const;

function recording(name: string): RuleStatus {
  return { name, expr: 'sum(x)', labels: ['team', name], alerting: undefined, ...never };
}

const alerting: RuleStatus = {
  name: 'Down',
  expr: 'up == 0',
  labels: ['severity', 'page'],
  alerting: {
    state: 'firing',
    annotations: ['text', 'is down'],
    holdMs: 90_000,
    keepFiringMs: 0,
    alerts: () => [
      {
        labels: ['alertname', 'Down'],
        annotations: ['text', 'is down'],
        state: 'firing',
        value: 0.25,
        activeAtMs: NOW_MS,
        keepFiringSinceMs: undefined,
      },
    ],
  },
  health: 'err',
  lastError: 'no such thing',
  seconds: 0.5,
  evaluatedMs: NOW_MS,
};

function group(name: string, rules: readonly RuleStatus[]): RuleGroupStatus {
  return { name, file: 'f.yml', intervalMs: 15_000, limit: 0, rules, seconds: 0, evaluatedMs: undefined };
}

const GROUPS = [
  group('a', [recording('one'), recording('two')]),
  group('b', [alerting]),
  group('c', [recording('one')]),
];

let app: TestApp;
before(async () => {
  app = await openApp(fakeDeps({ rules: { groups: () => GROUPS, dryRun: async () => [] } }));
});
after(() => app.close(0));

async function get(path: string): Promise<{ status: string; error?: string; data: never }> {
  const answer = await app.fetch(`/api/v1/${path}`);
  return (await answer.json()) as never;
}

test('rules: an alerting rule has its state, its times and its alerts', async () => {
  const { data } = await get('rules?type=alert');
  const alert = {
    labels: { alertname: 'Down' },
    annotations: { text: 'is down' },
    state: 'firing',
    activeAt: '2015-07-01T20:10:51.781Z',
    value: '2.5e-01',
  };
  assert.deepEqual(data, {
    groups: [
      {
        name: 'b',
        file: 'f.yml',
        rules: [
          {
            state: 'firing',
            name: 'Down',
            query: 'up == 0',
            duration: 90,
            keepFiringFor: 0,
            labels: { severity: 'page' },
            annotations: { text: 'is down' },
            alerts: [alert],
            health: 'err',
            lastError: 'no such thing',
            evaluationTime: 0.5,
            lastEvaluation: '2015-07-01T20:10:51.781Z',
            type: 'alerting',
          },
        ],
        interval: 15,
        limit: 0,
        evaluationTime: 0,
        lastEvaluation: '0001-01-01T00:00:00Z',
      },
    ],
  });
});

test('rules: alerts of all rules', async () => {
  const { data } = await get('alerts');
  assert.deepEqual(
    (data as { alerts: { value: string }[] }).alerts.map(({ value }) => value),
    ['2.5e-01'],
  );
});

/** `group: rules` of what is answered. */
async function listed(query: string): Promise<string[]> {
  const { data } = await get(`rules?${query}`);
  const { groups } = data as { groups: { name: string; rules: { name: string }[] }[] };
  return groups.map(({ name, rules }) => `${name}: ${rules.map((rule) => rule.name).join(' ')}`);
}

const FILTERS: readonly [query: string, want: string[]][] = [
  ['', ['a: one two', 'b: Down', 'c: one']],
  ['type=record', ['a: one two', 'c: one']],
  ['type=ALERT', ['b: Down']],
  ['rule_name[]=one', ['a: one', 'c: one']],
  ['rule_name[]=one&rule_name[]=Down', ['a: one', 'b: Down', 'c: one']],
  ['rule_group[]=a&rule_group[]=b', ['a: one two', 'b: Down']],
  ['file[]=f.yml', ['a: one two', 'b: Down', 'c: one']],
  ['file[]=g.yml', []],
  ['match[]={team="two"}', ['a: two']],
  ['match[]={team="two"}&match[]={severity=~"p.*"}', ['a: two', 'b: Down']],
];

for (const [query, want] of FILTERS) {
  test(`rules?${query}`, async () => assert.deepEqual(await listed(query), want));
}

test('rules: alerts can be left out', async () => {
  const { data } = await get('rules?type=alert&exclude_alerts=true');
  assert.equal((data as { groups: { rules: { alerts: unknown }[] }[] }).groups[0]!.rules[0]!.alerts, null);
});

test('rules: pages of groups', async () => {
  const pages: string[][] = [];
  let token = '';
  do {
    const { data } = await get(`rules?type=record&group_limit=1&group_next_token=${token}`);
    const { groups, groupNextToken = '' } = data as { groups: { name: string }[]; groupNextToken?: string };
    pages.push(groups.map(({ name }) => name));
    token = groupNextToken;
  } while (token !== '');
  assert.deepEqual(pages, [['a'], ['c']]);
});

const FAULTS: readonly [query: string, error: string][] = [
  ['type=foo', 'invalid parameter "type": not supported value "foo"'],
  [
    'exclude_alerts=7',
    'invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "7": invalid syntax',
  ],
  [
    'group_next_token=x',
    'invalid parameter "group_next_token": group_limit needs to be present in order to paginate over the groups',
  ],
  [
    'group_limit=x',
    'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  ['group_limit=0', 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
  [
    'group_limit=1&group_next_token=x',
    'invalid parameter "group_next_token": invalid group_next_token \'x\'. were rule groups changed?',
  ],
];

for (const [query, error] of FAULTS) {
  test(`rules?${query} is refused`, async () => assert.equal((await get(`rules?${query}`)).error, error));
}

const RAW = (name: string, labels: readonly string[], values: readonly number[]) => ({
  labels: ['__name__', name, 'alertname', 'A', ...labels],
  times: Float64Array.from(values, (_, i) => NOW_MS - (values.length - i) * 60_000),
  values: Float64Array.from(values),
});

test('alerts/history: series of alerts become alerts, newest first', async () => {
  const asked: string[] = [];
  const instant = async (text: string) => {
    asked.push(text);
    const series = text.startsWith('ALERTS_FOR_STATE')
      ? [RAW('ALERTS_FOR_STATE', [], [100, 100, 200])]
      : [RAW('ALERTS', ['alertstate', 'firing'], [1, 1, 1])];
    return { data: { kind: 'raw' as const, series }, warnings: [], infos: [] };
  };
  const deps = fakeDeps();
  const own = await openApp({ ...deps, query: { ...deps.query, instant } });
  const ask = async (query: string) => (await own.fetch(`/api/v1/alerts/history?${query}`)).json() as Promise<never>;
  const { data } = (await ask('match[]={team="a"}&start=0&end=1000')) as { data: { alerts: { activeAt: string }[] } };
  assert.deepEqual(asked, ['ALERTS{team="a",alertstate="firing"}[1000001ms]', 'ALERTS_FOR_STATE{team="a"}[1000001ms]']);
  assert.deepEqual(
    data.alerts.map(({ activeAt }) => activeAt),
    ['1970-01-01T00:03:20Z', '1970-01-01T00:01:40Z'],
  );
  const { warnings } = (await ask('limit=1')) as { warnings: string[] };
  assert.deepEqual(warnings, ['results truncated due to limit']);
  const { error } = (await ask('start=2&end=1')) as { error: string };
  assert.equal(error, 'end timestamp must not be before start timestamp');
  await own.close(0);
});

test('rules/dry_run: takes a rule file and tells of its rules', async () => {
  const requests: unknown[] = [];
  const alert = {
    labels: ['alertname', 'A'],
    annotations: [],
    value: 1.5,
    activeAtMs: 0,
    firedAtMs: 60_000,
    endedAtMs: 120_000,
  };
  const rule = {
    name: 'A',
    expr: 'up',
    type: 'alerting' as const,
    samples: 4,
    failures: 0,
    error: '',
    alerts: [alert],
  };
  const recorded = { ...rule, name: 'r', type: 'recording' as const, failures: 1, error: 'bad', alerts: [] };
  const dryRun = async ({ signal: _, ...request }: DryRunRequest) => {
    requests.push(request);
    if (request.text === 'bad') throw new ConfigError('line 1: what is bad?');
    return [{ name: 'g', intervalMs: 15_000, evaluations: 3, rules: [rule, recorded] }];
  };
  const own = await openApp(fakeDeps({ rules: { groups: () => [], dryRun } }));
  const post = async (query: string, body: string) => {
    return (await own.fetch(`/api/v1/rules/dry_run?${query}`, { method: 'POST', body })).json() as Promise<never>;
  };
  const { data } = (await post('start=10&end=20&file=a.yml', 'groups: []')) as { data: unknown };
  assert.deepEqual(requests, [{ text: 'groups: []', file: 'a.yml', startMs: 10_000, endMs: 20_000 }]);
  const common = { query: 'up', samples: 4 };
  assert.deepEqual(data, {
    groups: [
      {
        name: 'g',
        interval: 15,
        evaluations: 3,
        rules: [
          {
            ...{ name: 'A', type: 'alerting', failures: 0, ...common },
            alerts: [
              {
                labels: { alertname: 'A' },
                annotations: {},
                state: 'inactive',
                activeAt: '1970-01-01T00:00:00Z',
                firingAt: '1970-01-01T00:01:00Z',
                endedAt: '1970-01-01T00:02:00Z',
                value: '1.5e+00',
              },
            ],
          },
          { ...{ name: 'r', type: 'recording', failures: 1, lastError: 'bad' }, ...common },
        ],
      },
    ],
  });
  const { errorType, error } = (await post('', 'bad')) as { errorType: string; error: string };
  assert.deepEqual([errorType, error], ['bad_data', 'line 1: what is bad?']);
  const late = (await post('start=2&end=1', '')) as { error: string };
  assert.equal(late.error, 'end timestamp must not be before start timestamp');
  await own.close(0);
});
