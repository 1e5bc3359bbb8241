// Operators above fragments, in TypeScript: what they cost per row where labels dominate, per cell where steps do.

import { pathToFileURL } from 'node:url';
import { Prng } from '../../src/base/prng.js';
import type { Labels } from '../../src/model/labels.js';
import { aggregateRows } from '../../src/promql/exec/aggregate.js';
import { Annotations } from '../../src/promql/exec/annotations.js';
import { combineSets } from '../../src/promql/exec/binary/set.js';
import { combineWithScalar } from '../../src/promql/exec/binary/with-scalar.js';
import { combineVectors } from '../../src/promql/exec/binary/with-vector.js';
import { countValues } from '../../src/promql/exec/count-values.js';
import { evaluateCall } from '../../src/promql/exec/functions/call.js';
import { groupRows } from '../../src/promql/exec/grouping.js';
import { type OperatorContext, Pace } from '../../src/promql/exec/operator.js';
import { quantileRows } from '../../src/promql/exec/quantile-rows.js';
import { applyWindows, columnsToSeries } from '../../src/promql/exec/ranges.js';
import { rank } from '../../src/promql/exec/rank.js';
import { Names, type ScalarValue, type Value, type VectorValue, vector } from '../../src/promql/exec/value.js';
import type { CallPlan, WindowPlan } from '../../src/promql/plan/plan.js';
import type { VectorMatching } from '../../src/promql/syntax/ast.js';
import { resultOf } from '../../src/query/result.js';
import { decodeLabels, encodeLabels } from '../../src/shard/columns.js';
import { type Micro, printAll } from './micro.js';

interface Size {
  readonly rows: number;
  readonly steps: number;
}

const SIZES: readonly Size[] = [
  { rows: 20_000, steps: 1 },
  { rows: 2_000, steps: 361 },
  { rows: 100_000, steps: 1 },
];

const POS = { start: 0, end: 0 };

/** Requests of a fleet: ten paths a pod, so that a pod is a tenth of the rows. */
function requestLabels(name: string, row: number): Labels {
  const pod = Math.floor(row / 10);
  return [
    ...['__name__', name, 'code', row % 5 === 0 ? '500' : '200', 'instance', `10.20.${pod >> 8}.${pod & 255}:9090`],
    ...['job', `job-${pod % 20}`, 'method', row % 3 === 0 ? 'POST' : 'GET', 'namespace', `ns-${pod % 7}`],
    ...['path', `/api/v1/resource-${row % 10}`, 'pod', `workload-${pod}-x7f9c`],
  ];
}

const BOUNDS = ['0.005', '0.01', '0.05', '0.1', '0.5', '1', '2.5', '5', '10', '+Inf'];

function bucketLabels(row: number): Labels {
  const [, ...rest] = requestLabels('', row);
  return ['__name__', 'duration_bucket', ...rest.slice(1, 7), 'le', BOUNDS[row % 10]!, ...rest.slice(13)];
}

function infoLabels(row: number): Labels {
  const labels = requestLabels('build_info', row * 10);
  return [...labels.slice(0, 2), ...labels.slice(4, 6), 'version', `v1.${row % 9}`];
}

/** Rows as they come from a shard, whose strings are shared within one message. */
function rowsOf(labelsOf: (row: number) => Labels, { rows, steps }: Size, seed: number): VectorValue {
  const random = new Prng(seed);
  const table = encodeLabels(Array.from({ length: rows }, (_, row) => labelsOf(row)));
  const labels = decodeLabels(table.strings, table.rows, rows);
  const values = Float64Array.from({ length: rows * steps }, () => random.float() * 1000);
  return vector({ labels, steps, values, present: new Uint8Array(rows * steps).fill(1) });
}

function requests(size: Size, name = 'requests_total', seed = 1): VectorValue {
  return rowsOf((row) => requestLabels(name, row), size, seed);
}

function contextOf({ steps }: Size): OperatorContext {
  return {
    names: new Names(false),
    annotations: new Annotations(),
    steps: { startMs: 0, stepMs: 60_000, count: steps },
    pace: new Pace(() => {}),
    reserve: () => {},
  };
}

function scalar({ steps }: Size, value: number): ScalarValue {
  return { kind: 'scalar', values: new Float64Array(steps).fill(value) };
}

function text(value: string): Value {
  return { kind: 'string', value };
}

const MATCH_ALL: VectorMatching = { card: 'one-to-one', on: false, labels: [], include: [] };

/** What is measured: inputs of a size, and the work on them. */
type Case = (size: Size) => () => unknown;

function scalarCase(op: '+' | '>'): Case {
  return (size) => {
    const [a, context] = [requests(size), contextOf(size)];
    return () => combineWithScalar({ op, bool: false, scalarFirst: false, pos: POS }, a, scalar(size, 500), context);
  };
}

function joinCase(op: '/' | '>', matching: VectorMatching, right: (size: Size) => VectorValue): Case {
  return (size) => {
    const [a, b, context] = [requests(size), right(size), contextOf(size)];
    return () => combineVectors({ op, bool: false, matching, pos: POS }, a, b, context);
  };
}

function setCase(op: 'and' | 'or' | 'unless', matching: VectorMatching): Case {
  return (size) => {
    const [a, b, context] = [requests(size), requests(size, 'errors_total', 2), contextOf(size)];
    return () => combineSets(op, a, b, matching, context);
  };
}

function foldCase(grouping: 'by' | 'without', labels: readonly string[]): Case {
  return (size) => {
    const { columns } = requests(size);
    return () => aggregateRows(columns, 'sum', groupRows(columns.labels, { grouping, labels }));
  };
}

function rankCase(labels: readonly string[]): Case {
  return (size) => {
    const [a, context] = [requests(size), contextOf(size)];
    const grouping = { grouping: 'by', labels } as const;
    const instant = size.steps === 1;
    return () => rank({ op: 'topk', grouping, param: scalar(size, 5), instant, paramPos: POS, pos: POS }, a, context);
  };
}

function callCase(fn: string, input: (size: Size) => VectorValue, args: (size: Size, input: Value) => Value[]): Case {
  return (size) => {
    const [values, context] = [args(size, input(size)), contextOf(size)];
    const plan: CallPlan = {
      kind: 'call',
      fn,
      args: values.map(() => ({ kind: 'number', value: 0, pos: POS })),
      argPos: values.map(() => POS),
      pos: POS,
    };
    return () => evaluateCall(plan, values, context);
  };
}

const others = (size: Size) => requests(size, 'errors_total', 2);
const infos = ({ rows, steps }: Size) => rowsOf(infoLabels, { rows: rows / 10, steps }, 3);

/** Counts rise from bucket to bucket, as they do. */
function buckets(size: Size): VectorValue {
  const rows = rowsOf(bucketLabels, size, 4);
  rows.columns.values.forEach((value, cell) => {
    rows.columns.values[cell] = value + 1000 * (Math.floor(cell / size.steps) % 10);
  });
  return rows;
}

const CASES: readonly (readonly [name: string, Case])[] = [
  ['a + 500', scalarCase('+')],
  ['a > 500', scalarCase('>')],
  ['abs(a)', callCase('abs', requests, (_, a) => [a])],
  ['a / b', joinCase('/', MATCH_ALL, others)],
  ['a > on (instance, path) b', joinCase('>', { ...MATCH_ALL, on: true, labels: ['instance', 'path'] }, others)],
  [
    'a / on (instance) group_left (version) b',
    joinCase('/', { card: 'many-to-one', on: true, labels: ['instance'], include: ['version'] }, infos),
  ],
  ['a and b', setCase('and', { ...MATCH_ALL, card: 'many-to-many' })],
  ['a or b', setCase('or', { ...MATCH_ALL, card: 'many-to-many' })],
  ['a unless on (pod) b', setCase('unless', { card: 'many-to-many', on: true, labels: ['pod'], include: [] })],
  ['sum by (job) (a)', foldCase('by', ['job'])],
  ['sum by (pod) (a)', foldCase('by', ['pod'])],
  ['sum without (code, path) (a)', foldCase('without', ['code', 'path'])],
  ['topk(5, a)', rankCase([])],
  ['topk by (job) (5, a)', rankCase(['job'])],
  [
    'quantile by (job) (0.9, a)',
    (size) => {
      const { columns } = requests(size);
      const { pace } = contextOf(size);
      return () => {
        const groups = groupRows(columns.labels, { grouping: 'by', labels: ['job'] });
        return quantileRows(columns, groups, scalar(size, 0.9).values, pace);
      };
    },
  ],
  [
    'count_values by (job) ("v", a)',
    (size) => {
      const a = requests(size);
      a.columns.values.forEach((value, cell) => {
        a.columns.values[cell] = Math.floor(value / 100);
      });
      const { pace } = contextOf(size);
      return () => countValues(a, 'v', { grouping: 'by', labels: ['job'] }, () => {}, pace);
    },
  ],
  ['histogram_quantile(0.9, a)', callCase('histogram_quantile', buckets, (size, a) => [scalar(size, 0.9), a])],
  [
    'label_replace(a, …)',
    callCase('label_replace', requests, (_, a) => [a, ...['host', '$1', 'instance', '(.*):.*'].map(text)]),
  ],
  ['label_join(a, …)', callCase('label_join', requests, (_, a) => [a, ...['all', '-', 'job', 'pod'].map(text)])],
  ['sort(a)', callCase('sort', requests, (_, a) => [a])],
  [
    'max_over_time(a[5m:1m])',
    (size) => {
      const a = requests(size);
      const { steps, pace } = contextOf(size);
      const plan = { fn: 'max_over_time' } as WindowPlan;
      const call = { fn: 'max_over_time', windowMs: 300_000, steps, args: [] };
      return () => applyWindows(plan, { series: columnsToSeries(a.columns, steps) }, call, pace);
    },
  ],
  [
    'result of a range, sorted',
    (size) => {
      const [a, { steps }] = [requests(size), contextOf(size)];
      return () => resultOf(a, steps, true);
    },
  ],
];

function micro(name: string, size: Size, prepare: Case): Micro {
  const { rows, steps } = size;
  return {
    name: `operators ${name}, ${rows / 1000} k × ${steps}`,
    unit: steps === 1 ? 'row' : 'cell',
    prepare: () => {
      const run = prepare(size);
      return () => {
        run();
        return rows * steps;
      };
    },
  };
}

export const operatorMicros: readonly Micro[] = SIZES.flatMap((size) =>
  CASES.map(([name, prepare]) => micro(name, size, prepare)),
);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) printAll(operatorMicros);
