// What a remote write request has besides floats: prometheus.WriteRequest, which was scanned before. The core
// (assembly/remote/write.ts) takes its floats and checks its form; histograms, exemplars and metadata are read here.
//
//   WriteRequest     1 TimeSeries … │ 3 MetricMetadata …
//   TimeSeries       1 Label (1 name, 2 value) … │ 3 Exemplar … │ 4 Histogram … (write-histograms.ts)
//   Exemplar         1 Label … │ 2 value, double │ 3 time, ms
//   MetricMetadata   1 type │ 2 name of the family │ 4 help │ 5 unit

import { type Exemplar, exemplarLabels } from '../model/exemplar.js';
import type { MetricMetadata } from '../model/family.js';
import type { Labels } from '../model/labels.js';
import { METRIC_TYPES } from '../tsdb/wal/record.js';
import type { ReceivedHistogram } from './protocol.js';
import { Fields } from './wire.js';
import { histogramOf } from './write-histograms.js';

/** A series that has more than floats. */
export interface ExtraSeries {
  /** As they came. */
  readonly labels: Labels;
  readonly histograms: readonly ReceivedHistogram[];
  readonly exemplars: readonly Exemplar[];
}

export interface Extras {
  readonly series: readonly ExtraSeries[];
  readonly metadata: readonly MetricMetadata[];
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Throws a WireError for what the scan did not look at. `body` may be a view of shared memory. `startTimes`: those of histograms
 * are wanted.
 */
export function extrasOf(body: Uint8Array, startTimes = false): Extras {
  const series: ExtraSeries[] = [];
  const metadata: MetricMetadata[] = [];
  for (const field of new Fields(body)) {
    if (field.number === 1) {
      const one = seriesOf(field.bytes, startTimes);
      if (one.histograms.length + one.exemplars.length > 0) series.push(one);
    } else if (field.number === 3) {
      metadata.push(metadataOf(field.bytes));
    }
  }
  return { series, metadata };
}

function seriesOf(bytes: Uint8Array, startTimes: boolean): ExtraSeries {
  const labels: string[] = [];
  const histograms: ReceivedHistogram[] = [];
  const exemplars: Exemplar[] = [];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) labels.push(...labelOf(field.bytes));
    else if (field.number === 3) exemplars.push(exemplarOf(field.bytes));
    else if (field.number === 4) histograms.push(histogramOf(field.bytes, startTimes));
  }
  return { labels, histograms, exemplars };
}

function exemplarOf(bytes: Uint8Array): Exemplar {
  const labels: [string, string][] = [];
  let [value, timeMs] = [0, 0];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) labels.push(labelOf(field.bytes));
    else if (field.number === 2) value = field.double;
    else if (field.number === 3) timeMs = field.signed;
  }
  return { labels: exemplarLabels(labels), value, timeMs };
}

function metadataOf(bytes: Uint8Array): MetricMetadata {
  let type: string = METRIC_TYPES[0];
  let [metric, help, unit] = ['', '', ''];
  for (const field of new Fields(bytes)) {
    if (field.number === 1) type = METRIC_TYPES[field.varint] ?? METRIC_TYPES[0];
    else if (field.number === 2) metric = textOf(field);
    else if (field.number === 4) help = textOf(field);
    else if (field.number === 5) unit = textOf(field);
  }
  return { metric, type, help, unit };
}

function labelOf(bytes: Uint8Array): [name: string, value: string] {
  const label: [string, string] = ['', ''];
  for (const field of new Fields(bytes)) {
    if (field.number === 1 || field.number === 2) label[field.number - 1] = textOf(field);
  }
  return label;
}

function textOf(field: Fields): string {
  // Shared memory cannot be decoded in place: slice() copies.
  return utf8.decode(field.bytes.slice());
}
