// Aggregations that fold rows into groups: sum, avg, min, max, count, group, stddev, stdvar.
// They go through the partial aggregates that shards give too, so that both ways round alike.

import { type Groups, groupRows } from './grouping.js';
import type { Pace } from './operator.js';
import { finishPartial, foldRows } from './partial.js';
import type { Columns, FragmentAggregate } from './source.js';

export function aggregateColumns(columns: Columns, aggregate: FragmentAggregate): Columns {
  return aggregateRows(columns, aggregate.op, groupRows(columns.labels, aggregate));
}

export function aggregateRows(columns: Columns, op: FragmentAggregate['op'], groups: Groups, pace?: Pace): Columns {
  return finishPartial(foldRows(columns, op, groups, pace));
}
