// A translated export as a prometheus.WriteRequest, which the core takes like any other: with its line cache and limits.

import { DOUBLE, MessageWriter, VARINT } from '../../base/message-writer.js';
import { STALE_SUM } from '../../model/stored-histogram.js';
import { METRIC_TYPES } from '../../tsdb/wal/record.js';
import { writeHistogram, writeLabels } from '../read-messages.js';
import type { Translated, TranslatedExemplar, TranslatedFamily, TranslatedSample } from './translate.js';

/** Bytes of the request, in which label sets stand with each of their series. */
const BYTES_MAX = 64 << 20;

/** Throws a TooLong. */
export function writeRequestOf({ series, families }: Translated): Uint8Array {
  const to = new MessageWriter(BYTES_MAX, 1 << 16);
  for (const { labels, samples, histograms, exemplars } of series) {
    const start = to.open(1);
    writeLabels(to, labels);
    for (const sample of samples) writeSample(to, sample);
    for (const exemplar of exemplars) writeExemplar(to, exemplar);
    for (const sample of histograms) writeHistogram(to, sample);
    to.close(start);
  }
  for (const family of families) writeFamily(to, family);
  return to.finish();
}

function writeSample(to: MessageWriter, [timeMs, value]: TranslatedSample): void {
  const start = to.open(2);
  to.head(1, DOUBLE);
  if (value === undefined) to.fixed64(STALE_SUM);
  else to.double(value);
  to.head(2, VARINT);
  to.signed(timeMs);
  to.closeExact(start);
}

function writeExemplar(to: MessageWriter, { labels, timeMs, value }: TranslatedExemplar): void {
  const start = to.open(3);
  writeLabels(to, labels.flat());
  to.head(2, DOUBLE);
  to.double(value);
  to.head(3, VARINT);
  to.signed(timeMs);
  to.closeExact(start);
}

function writeFamily(to: MessageWriter, { name, type, help, unit }: TranslatedFamily): void {
  const start = to.open(3);
  to.head(1, VARINT);
  to.varint(METRIC_TYPES.indexOf(type));
  to.text(2, name);
  to.text(4, help);
  to.text(5, unit);
  to.closeExact(start);
}
