// What is wrong with a protobuf message, in words.

import { WireFault } from '../../assembly/layout.js';

export const WIRE_WORDS: Readonly<Record<WireFault, string>> = {
  [WireFault.None]: 'nothing wrong',
  [WireFault.NoMemory]: 'no memory',
  [WireFault.Varint]: 'bad varint',
  [WireFault.Truncated]: 'unexpected end',
  [WireFault.WireType]: 'illegal wire type',
  [WireFault.Field]: 'illegal field number',
  [WireFault.Kind]: 'wrong wire type of a known field',
  [WireFault.TooManySeries]: 'too many series',
  [WireFault.TooManySamples]: 'too many samples',
  [WireFault.Name]: 'invalid metric name',
  [WireFault.Help]: 'invalid help',
  [WireFault.Type]: 'unknown metric type',
  [WireFault.Unit]: 'unit not a suffix of metric',
};
