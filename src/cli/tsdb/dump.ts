// `tsdb dump` and `tsdb dump-openmetrics`: every sample of a data directory as a line.
//
//   dump               {__name__="up", job="node"} 1 1767232620000
//   dump-openmetrics   up{job="node"} 1 1767232620.000          no native histograms, no stale markers; # EOF at the end

import type { Disk } from '../../base/disk.js';
import { formatLabelSet, type Labels } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import { formatGeneral, formatSeconds } from '../../model/number.js';
import { floatHistogramOf, floatOf, STALE_SUM } from '../../model/stored-histogram.js';
import type { Sample } from '../../tsdb/compact/samples.js';
import { SampleCodec } from '../../tsdb/compact/samples.js';
import { mergedSeries } from '../../tsdb/export/merged-series.js';
import { Chunks } from '../../wasm/chunks.js';
import type { Core } from '../../wasm/core.js';
import { Crc32c } from '../../wasm/crc32c.js';
import type { Output } from '../tool/output.js';
import { withBlocks } from './data-folder.js';
import { formatSeries } from './openmetrics-text.js';

export interface DumpRequest {
  readonly folder: string;
  readonly selectors: readonly (readonly Matcher[])[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly form: 'plain' | 'openmetrics';
}

export function dump(disk: Disk, core: Core, request: DumpRequest, out: Output): void {
  const codec = new SampleCodec(new Chunks(core));
  const print = request.form === 'plain' ? printPlain : printOpenMetrics;
  withBlocks(disk, request.folder, new Crc32c(core), (blocks) => {
    for (const { labels, samples } of mergedSeries(blocks, request, codec)) print(labels, samples, out);
  });
  if (request.form === 'openmetrics') out.line('# EOF');
}

function printPlain(labels: Labels, samples: Iterable<Sample>, out: Output): void {
  const series = formatLabelSet(labels);
  for (const { timeMs, bits, histogram } of asFields(samples)) {
    const value = histogram === undefined ? formatGeneral(floatOf(bits!)) : floatHistogramOf(histogram).toString();
    out.line(`${series} ${value} ${timeMs}`);
  }
}

function printOpenMetrics(labels: Labels, samples: Iterable<Sample>, out: Output): void {
  const series = formatSeries(labels);
  for (const { timeMs, bits } of asFields(samples)) {
    if (bits === undefined || bits === STALE_SUM) continue;
    out.line(`${series} ${formatGeneral(floatOf(bits))} ${formatSeconds(timeMs)}`);
  }
}

/** One form for both kinds. */
function asFields(
  samples: Iterable<Sample>,
): Iterable<{ timeMs: number; bits?: bigint; histogram?: Sample['histogram'] }> {
  return samples;
}
