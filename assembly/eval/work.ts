// What evaluating costs beside decoding: most functions look at a sample once or twice while the window slides over
// it, some go over the whole window again at each step.

import { WindowFn } from '../layout';
import { Job } from './job';

/** A sample decoded, with its part of a step, costs as much as so many samples that are decoded alone. */
export function workOfSample(job: Job): f64 {
  const weight = weightOf(job.fn);
  if (weight == 0) return 1;
  // Windows that a sample is in: all there are where every step asks for the same one.
  const windows = job.stepMs > 0 ? min(job.windowMs / job.stepMs, <f64>job.steps) : <f64>job.steps;
  return 1 + weight * max(windows, 1);
}

/**
 * One look at a sample of a window that is gone over again, in decoded samples (some 8 ns). Measured; sums, means and lines
 * have cheaper ways where values allow, which is not known beforehand.
 */
function weightOf(fn: u32): f64 {
  switch (fn) {
    case WindowFn.StddevOverTime:
    case WindowFn.StdvarOverTime:
      return 0.5;
    case WindowFn.Deriv:
    case WindowFn.PredictLinear:
      return 0.25;
    case WindowFn.QuantileOverTime:
      return 1;
    case WindowFn.SumOverTime:
    case WindowFn.AvgOverTime:
      return 0.0625;
    default:
      return 0;
  }
}
