// Taking metric names (and types and units) off many rows.

import { type Labels, METADATA_LABELS } from '../../model/labels.js';
import { Projection } from './projection.js';

export interface Stripped {
  readonly labels: Labels[];
  /** All rows lost the same labels: those that differed before do so still. */
  readonly alike: boolean;
}

/** Gives the very array where no row has any of those labels. */
export function stripMetadata(rows: Labels[]): Stripped {
  const projection = new Projection((name) => !METADATA_LABELS.has(name));
  const labels: Labels[] = new Array(rows.length);
  const first = rows[0] ?? [];
  const model = projection.shapeOf(first);
  let alike = true;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const shape = projection.shapeOf(row);
    labels[i] = projection.of(row);
    if (!alike) continue;
    alike = shape.droppedNames === model.droppedNames;
    for (let j = 0; alike && j < shape.dropped.length; j++) {
      alike = row[shape.dropped[j]!] === first[model.dropped[j]!];
    }
  }
  return alike && model.dropped.length === 0 ? { labels: rows, alike } : { labels, alike };
}
