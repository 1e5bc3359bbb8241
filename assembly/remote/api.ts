// What the façade of remote writes calls.

import * as cache from '../exposition/cache';
import { LabelFault } from '../layout';
import * as proto from './proto';
import * as snappy from './snappy';
import * as write from './write';

/** The decoded length that a block declares; -1 where it is malformed. */
export function snappy_length(block: usize, bytes: usize): f64 {
  return <f64>snappy.declaredLength(block, bytes);
}

export function snappy_decode(block: usize, bytes: usize, to: usize): bool {
  return snappy.decode(block, bytes, to);
}

export function snappy_error_at(): usize {
  return snappy.errorAt;
}

export function remote_age(at: usize): void {
  cache.age(at);
}

export function remote_labels(miss: u32, body: usize, labelsMax: u32, nameMax: u32, valueMax: u32): LabelFault {
  return write.readLabels(miss, body, labelsMax, nameMax, valueMax);
}

export function remote_series(): u32 {
  return write.series;
}

export function remote_samples(): u32 {
  return write.samples;
}

export function remote_exemplars(): u32 {
  return write.exemplars;
}

export function remote_histograms(): u32 {
  return write.histograms;
}

export function remote_metadata(): u32 {
  return write.metadata;
}

export function remote_fault(): u32 {
  return proto.fault;
}

export function remote_error_at(): usize {
  return proto.faultAt;
}
