// Label sets as text become runs of symbol numbers in label order, each set once.

import type { Labels } from '../../model/labels.js';
import type { SymbolTable } from '../block/contract.js';
import { compareLabels } from '../block/index-writer.js';
import { SEQUENCE_END, sortSequences } from '../compact/sort.js';

export interface LabelTable {
  readonly symbols: SymbolTable;
  /** Ascending. */
  readonly labelSets: readonly Uint32Array[];
  /** By the place of a set in what was given: its place in `labelSets`. */
  readonly numbers: Uint32Array;
}

export function tabulate(given: readonly Labels[]): LabelTable {
  const { symbols, numberOf } = symbolTable(given);
  const sets = given.map((labels) => Uint32Array.from(labels, (text) => numberOf.get(text)!));
  const order = Uint32Array.from(given, (_, i) => i);
  sortSequences(order, (item, depth) => {
    const set = sets[item]!;
    return depth === set.length ? SEQUENCE_END : set[depth]! + 1;
  });
  const labelSets: Uint32Array[] = [];
  const numbers = new Uint32Array(given.length);
  for (const item of order) {
    const last = labelSets.at(-1);
    if (last === undefined || compareLabels(last, sets[item]!) !== 0) labelSets.push(sets[item]!);
    numbers[item] = labelSets.length - 1;
  }
  return { symbols, labelSets, numbers };
}

function symbolTable(given: readonly Labels[]): { symbols: SymbolTable; numberOf: ReadonlyMap<string, number> } {
  const texts = [...new Set(given.flat())].map((text) => ({ text, bytes: Buffer.from(text) }));
  texts.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const ends = new Uint32Array(texts.length);
  let end = 0;
  for (const [i, { bytes }] of texts.entries()) ends[i] = end += bytes.length;
  const symbols = { bytes: new Uint8Array(Buffer.concat(texts.map(({ bytes }) => bytes))), ends };
  return { symbols, numberOf: new Map(texts.map(({ text }, i) => [text, i])) };
}
