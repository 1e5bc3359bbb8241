// What planning knows of the functions over a range: which argument is the range,
// whether results keep their metric name, which selector modifiers they take.

export interface RangeSignature {
  /** The index of the range among the arguments; all others are scalars. */
  readonly rangeArg: number;
  /** Whether results keep the metric's name, as those do that only pick a sample. */
  readonly keepsName: boolean;
}

const plain: RangeSignature = { rangeArg: 0, keepsName: false };

export const RANGE_SIGNATURES: ReadonlyMap<string, RangeSignature> = new Map([
  // Nobody sees the rows, only whether there are any: they may well be alike without their names.
  ['absent_over_time', { ...plain, keepsName: true }],
  ['avg_over_time', plain],
  ['changes', plain],
  ['count_over_time', plain],
  ['delta', plain],
  ['deriv', plain],
  ['double_exponential_smoothing', plain],
  ['first_over_time', { ...plain, keepsName: true }],
  ['idelta', plain],
  ['increase', plain],
  ['irate', plain],
  ['last_over_time', { ...plain, keepsName: true }],
  ['mad_over_time', plain],
  ['max_over_time', plain],
  ['min_over_time', plain],
  ['predict_linear', plain],
  ['present_over_time', plain],
  ['quantile_over_time', { ...plain, rangeArg: 1 }],
  ['rate', plain],
  ['resets', plain],
  ['stddev_over_time', plain],
  ['stdvar_over_time', plain],
  ['sum_over_time', plain],
  ['ts_of_first_over_time', plain],
  ['ts_of_last_over_time', plain],
  ['ts_of_max_over_time', plain],
  ['ts_of_min_over_time', plain],
]);

/** The functions that the modifiers of extended range selectors may be used with, in the order of error messages. */
export const EXTENDED_FUNCTIONS = {
  anchored: ['changes', 'delta', 'increase', 'rate', 'resets'],
  smoothed: ['delta', 'increase', 'rate'],
} as const;
