// Every function of PromQL: what it takes and what it gives. The parser checks calls
// against this table; what a function does is promql/exec's.

import type { ValueType } from './syntax/ast.js';

export interface FunctionSignature {
  readonly name: string;
  readonly args: readonly ValueType[];
  /**
   * 0: exactly `args`. Otherwise the last of `args` may be missing or be repeated: n > 0 allows up
   * to n of it, -1 any number.
   */
  readonly variadic: number;
  readonly returns: ValueType;
  /** Refused unless experimental functions are switched on. */
  readonly experimental: boolean;
}

type Variation = Partial<Pick<FunctionSignature, 'variadic' | 'returns' | 'experimental'>>;

function signature(name: string, args: readonly ValueType[], variation: Variation = {}): FunctionSignature {
  return { name, args, variadic: 0, returns: 'vector', experimental: false, ...variation };
}

const TABLE: readonly FunctionSignature[] = [
  // Element by element over an instant vector.
  signature('abs', ['vector']),
  signature('acos', ['vector']),
  signature('acosh', ['vector']),
  signature('asin', ['vector']),
  signature('asinh', ['vector']),
  signature('atan', ['vector']),
  signature('atanh', ['vector']),
  signature('ceil', ['vector']),
  signature('cos', ['vector']),
  signature('cosh', ['vector']),
  signature('deg', ['vector']),
  signature('exp', ['vector']),
  signature('floor', ['vector']),
  signature('ln', ['vector']),
  signature('log10', ['vector']),
  signature('log2', ['vector']),
  signature('rad', ['vector']),
  signature('sgn', ['vector']),
  signature('sin', ['vector']),
  signature('sinh', ['vector']),
  signature('sqrt', ['vector']),
  signature('tan', ['vector']),
  signature('tanh', ['vector']),
  // Parameters beside the vector.
  signature('clamp', ['vector', 'scalar', 'scalar']),
  signature('clamp_max', ['vector', 'scalar']),
  signature('clamp_min', ['vector', 'scalar']),
  signature('round', ['vector', 'scalar'], { variadic: 1 }),
  // Calendar: of the evaluation time where no vector is given.
  signature('day_of_month', ['vector'], { variadic: 1 }),
  signature('day_of_week', ['vector'], { variadic: 1 }),
  signature('day_of_year', ['vector'], { variadic: 1 }),
  signature('days_in_month', ['vector'], { variadic: 1 }),
  signature('hour', ['vector'], { variadic: 1 }),
  signature('minute', ['vector'], { variadic: 1 }),
  signature('month', ['vector'], { variadic: 1 }),
  signature('year', ['vector'], { variadic: 1 }),
  // Time and constants.
  signature('end', [], { returns: 'scalar', experimental: true }),
  signature('max_of', ['scalar', 'scalar'], { returns: 'scalar', experimental: true }),
  signature('min_of', ['scalar', 'scalar'], { returns: 'scalar', experimental: true }),
  signature('pi', [], { returns: 'scalar' }),
  signature('range', [], { returns: 'scalar', experimental: true }),
  signature('start', [], { returns: 'scalar', experimental: true }),
  signature('start_timestamp', ['vector'], { experimental: true }),
  signature('step', [], { returns: 'scalar', experimental: true }),
  signature('time', [], { returns: 'scalar' }),
  signature('timestamp', ['vector']),
  // Over a range vector.
  signature('absent_over_time', ['matrix']),
  signature('avg_over_time', ['matrix']),
  signature('changes', ['matrix']),
  signature('count_over_time', ['matrix']),
  signature('delta', ['matrix']),
  signature('deriv', ['matrix']),
  signature('double_exponential_smoothing', ['matrix', 'scalar', 'scalar'], { experimental: true }),
  signature('first_over_time', ['matrix']),
  signature('idelta', ['matrix']),
  signature('increase', ['matrix']),
  signature('irate', ['matrix']),
  signature('last_over_time', ['matrix']),
  signature('mad_over_time', ['matrix'], { experimental: true }),
  signature('max_over_time', ['matrix']),
  signature('min_over_time', ['matrix']),
  signature('predict_linear', ['matrix', 'scalar']),
  signature('present_over_time', ['matrix']),
  signature('quantile_over_time', ['scalar', 'matrix']),
  signature('rate', ['matrix']),
  signature('resets', ['matrix']),
  signature('stddev_over_time', ['matrix']),
  signature('stdvar_over_time', ['matrix']),
  signature('sum_over_time', ['matrix']),
  signature('ts_of_first_over_time', ['matrix'], { experimental: true }),
  signature('ts_of_last_over_time', ['matrix'], { experimental: true }),
  signature('ts_of_max_over_time', ['matrix'], { experimental: true }),
  signature('ts_of_min_over_time', ['matrix'], { experimental: true }),
  // Histograms, classic and native.
  signature('histogram_avg', ['vector']),
  signature('histogram_count', ['vector']),
  signature('histogram_fraction', ['scalar', 'scalar', 'vector']),
  signature('histogram_quantile', ['scalar', 'vector']),
  signature('histogram_quantiles', ['vector', 'string', 'scalar', 'scalar'], { variadic: 9, experimental: true }),
  signature('histogram_stddev', ['vector']),
  signature('histogram_stdvar', ['vector']),
  signature('histogram_sum', ['vector']),
  // Labels and order.
  signature('info', ['vector', 'vector'], { variadic: 1, experimental: true }),
  signature('label_join', ['vector', 'string', 'string', 'string'], { variadic: -1 }),
  signature('label_replace', ['vector', 'string', 'string', 'string', 'string']),
  signature('sort', ['vector']),
  signature('sort_by_label', ['vector', 'string'], { variadic: -1, experimental: true }),
  signature('sort_by_label_desc', ['vector', 'string'], { variadic: -1, experimental: true }),
  signature('sort_desc', ['vector']),
  // Between scalars, vectors and nothing.
  signature('absent', ['vector']),
  signature('scalar', ['vector'], { returns: 'scalar' }),
  signature('vector', ['scalar']),
];

export const FUNCTIONS: ReadonlyMap<string, FunctionSignature> = new Map(TABLE.map((entry) => [entry.name, entry]));

export function functionOf(name: string): FunctionSignature | undefined {
  return FUNCTIONS.get(name);
}
