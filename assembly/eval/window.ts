// Functions over windows of one series: columns of samples in, a row of cells out.
//
// Each family has its file and its own loop over the steps, so that it can carry along what
// its windows share. All of them move two cursors over the samples, oldest to newest, and read
// times in any order without harm (a damaged chunk may hold them so).

import { WindowFn } from '../layout';
import { countPairs } from './changes';
import { extreme } from './extremes';
import { Job } from './job';
import { isWhole, slideLines } from './lines';
import { quantiles } from './order';
import { pick } from './picks';
import { MEAN, rescan, STDDEV, STDVAR, SUM } from './quads';
import { isQuantal, slideQuanta } from './quanta';
import { extrapolate } from './rate';
import { regress } from './regression';
import { isExact, slide } from './sums';

/** Evaluates the steps from `job.done` to below `until` over the samples in the columns. */
export function evaluate(job: Job, until: u32): void {
  switch (job.fn) {
    case WindowFn.Rate:
      extrapolate(job, until, true, true);
      break;
    case WindowFn.Increase:
      extrapolate(job, until, true, false);
      break;
    case WindowFn.Delta:
      extrapolate(job, until, false, false);
      break;
    case WindowFn.Changes:
      countPairs(job, until, false);
      break;
    case WindowFn.Resets:
      countPairs(job, until, true);
      break;
    case WindowFn.SumOverTime:
      sum(job, until, SUM);
      break;
    case WindowFn.AvgOverTime:
      sum(job, until, MEAN);
      break;
    case WindowFn.MinOverTime:
      extreme(job, until, -1);
      break;
    case WindowFn.MaxOverTime:
      extreme(job, until, 1);
      break;
    case WindowFn.StddevOverTime:
      rescan(job, until, STDDEV);
      break;
    case WindowFn.StdvarOverTime:
      rescan(job, until, STDVAR);
      break;
    case WindowFn.Deriv:
      line(job, until, false);
      break;
    case WindowFn.PredictLinear:
      line(job, until, true);
      break;
    case WindowFn.QuantileOverTime:
      quantiles(job, until);
      break;
    default:
      pick(job, until);
  }
  job.done = until;
}

function sum(job: Job, until: u32, kind: u32): void {
  const overlapping = job.windowMs > job.stepMs && until - job.done > 1;
  if (overlapping && isExact(job)) slide(job, until, kind == MEAN);
  else if (overlapping && isQuantal(job)) slideQuanta(job, until, kind == MEAN);
  else rescan(job, until, kind);
}

function line(job: Job, until: u32, isPrediction: bool): void {
  if (until - job.done > 1 && isWhole(job, isPrediction)) slideLines(job, until, isPrediction);
  else regress(job, until, isPrediction);
}
