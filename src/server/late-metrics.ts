// What storage says on /metrics of samples that were not in order: Prometheus's names, but for what they take in memory.

import type { SampleRefusals } from '../shard/ingest.js';
import type { Registry } from '../telemetry/metrics.js';

type Counts = readonly (readonly [labels: readonly [string], value: number])[];

/** `core` gives the numbers of the cores as of the last refresh. */
export function registerLate(
  registry: Registry,
  refused: () => SampleRefusals,
  core: () => Readonly<Record<string, number>>,
): void {
  const counter = (name: string, help: string, read: () => Counts) =>
    registry.collect(name, help, { type: 'counter', labels: ['type'] }, read);
  counter('prometheus_tsdb_head_samples_appended_total', 'Total number of appended samples.', () => {
    const { samplesAppended = 0, histogramsAppended = 0, lateHistograms = 0 } = core();
    const histograms = histogramsAppended + lateHistograms;
    return [
      [['float'], samplesAppended - histograms],
      [['histogram'], histograms],
    ];
  });
  counter(
    'prometheus_tsdb_head_out_of_order_samples_appended_total',
    'Total number of appended out of order samples.',
    () => [
      [['float'], core().lateFloats ?? 0],
      [['histogram'], core().lateHistograms ?? 0],
    ],
  );
  const refusals: readonly [name: string, help: string, key: keyof SampleRefusals][] = [
    [
      'prometheus_tsdb_out_of_order_samples_total',
      'Total number of out of order samples ingestion failed attempts due to out of order being disabled.',
      'outOfOrder',
    ],
    [
      'prometheus_tsdb_out_of_bound_samples_total',
      'Total number of out of bound samples ingestion failed attempts with out of order support disabled.',
      'outOfBounds',
    ],
    [
      'prometheus_tsdb_too_old_samples_total',
      'Total number of out of order samples ingestion failed attempts with out of support enabled, but sample outside of time window.',
      'tooOld',
    ],
  ];
  for (const [name, help, key] of refusals) counter(name, help, () => [[['float'], refused()[key]]]);
  const gauges = [
    ['narthex_late_series', 'Series that have out of order samples in memory.', 'lateSeries'],
    ['narthex_late_bytes', 'What out of order samples take in memory, about.', 'lateBytes'],
  ] as const;
  for (const [name, help, key] of gauges) registry.collect(name, help, { type: 'gauge' }, () => core()[key] ?? 0);
}
