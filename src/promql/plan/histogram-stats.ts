// Where only the sum and the count of native histograms are looked at, sources are
// told so: they may leave the buckets out, and tell resets by the counts alone.

import { mapChildren, type Plan } from './plan.js';

const STATS: ReadonlySet<string> = new Set(['histogram_count', 'histogram_sum', 'histogram_avg']);
const WHOLE: ReadonlySet<string> = new Set(['histogram_quantile', 'histogram_quantiles', 'histogram_fraction']);

/** What is wanted of histograms below a node: undecided, their statistics, or all of them whatever comes. */
type Want = 'undecided' | 'stats' | 'all';

export function markHistogramStats(plan: Plan): Plan {
  return mark(plan, 'undecided');
}

function mark(plan: Plan, want: Want): Plan {
  if (plan.kind === 'fragment') {
    const otherwise = plan.otherwise && mark(plan.otherwise, want);
    const marked = otherwise === undefined ? plan : { ...plan, otherwise };
    return want === 'stats' ? { ...marked, histogramStats: true } : marked;
  }
  const below = wantBelow(plan, want);
  return mapChildren(plan, (child) => mark(child, below));
}

function wantBelow(plan: Plan, want: Want): Want {
  if (want === 'all') return 'all';
  switch (plan.kind) {
    case 'call':
      if (WHOLE.has(plan.fn)) return 'all';
      return STATS.has(plan.fn) ? 'stats' : want;
    case 'binary':
      return plan.op === '</' || plan.op === '>/' ? 'all' : want;
    case 'window':
    case 'matrix':
      // Resets between the points of a subquery show in the buckets only.
      return plan.range.kind === 'subquery' ? 'all' : want;
    default:
      return want;
  }
}
