// The names and values of some series: each once, as the strings of the label table.

import * as schemas from '../labels/schemas';
import * as symbols from '../labels/symbols';
import * as labelTable from '../labels/table';
import * as heap from '../memory/heap';
import * as pairs from '../postings/pairs';
import * as series from './series';

/** The label names of `count` series at `list`; false where the memory limit says no. */
export function names(list: usize, count: u32): bool {
  labelTable.begin();
  // Series of one schema have the same names.
  const bytes = (<usize>schemas.bound() + 8) >>> 3;
  const seen = heap.alloc(bytes);
  if (seen == 0) return false;
  memory.fill(seen, 0, bytes);
  let fits = true;
  for (let i: u32 = 0; i < count && fits; i++) {
    const record = series.findAny(load<u32>(list + ((<usize>i) << 2)));
    if (record == 0) continue;
    const schema = series.schemaOf(series.labels(record));
    const byte = seen + (schema >>> 3);
    const bit = <u8>((<u32>1) << (schema & 7));
    if ((load<u8>(byte) & bit) != 0) continue;
    store<u8>(byte, load<u8>(byte) | bit);
    fits = addNames(schema);
  }
  heap.free(seen, bytes);
  return fits;
}

function addNames(schema: u32): bool {
  const size = schemas.count(schema);
  const list = schemas.names(schema);
  for (let i: u32 = 0; i < size; i++) if (!labelTable.addString(load<u32>(list + ((<usize>i) << 2)))) return false;
  return true;
}

/** The values of a label name that `count` series at `list` have; false where the memory limit says no. */
export function values(list: usize, count: u32, name: usize, nameBytes: u32): bool {
  labelTable.begin();
  const symbol = symbols.find(name, nameBytes);
  if (symbol == symbols.NONE) return true;
  let last = symbols.NONE;
  for (let i: u32 = 0; i < count; i++) {
    const record = series.findAny(load<u32>(list + ((<usize>i) << 2)));
    if (record == 0) continue;
    const value = series.valueOf(series.labels(record), symbol);
    if (value == symbols.NONE || value == last) continue;
    if (!labelTable.addString(value)) return false;
    last = value;
  }
  return true;
}

/** All values of a label name; false where the memory limit says no. */
export function allValues(name: usize, nameBytes: u32): bool {
  labelTable.begin();
  const symbol = symbols.find(name, nameBytes);
  const entry: usize = symbol == symbols.NONE ? 0 : pairs.nameEntry(symbol);
  if (entry == 0) return true;
  let pair = pairs.firstPair(entry);
  while (pair != pairs.NONE) {
    if (!labelTable.addString(pairs.pairValue(pair))) return false;
    pair = pairs.nextPair(pair);
  }
  return true;
}
