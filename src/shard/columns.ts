// Columns and label tables between threads: what the core wrote, read in another thread.
// The bytes: docs/formats/shard-messages.md.

import { isAscii } from 'node:buffer';
import type { Labels } from '../model/labels.js';

/** A text may begin with what would otherwise be taken for a byte order mark. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** The label sets of a table, `count` of them. Strings that several share are one JS string. */
export function decodeLabels(strings: ArrayBuffer, rows: ArrayBuffer, count: number): Labels[] {
  const texts = decodeStrings(strings);
  const words = new Uint32Array(rows);
  const labels: Labels[] = new Array(count);
  let at = 0;
  for (let row = 0; row < count; row++) {
    const size = words[at++]! * 2;
    const set: string[] = new Array(size);
    for (let i = 0; i < size; i++) set[i] = texts[words[at++]!]!;
    labels[row] = set;
  }
  return labels;
}

/** The strings of a table, in its order. */
export function decodeStrings(strings: ArrayBuffer): string[] {
  const bytes = Buffer.from(strings);
  const view = new DataView(strings);
  const texts: string[] = [];
  // Where all is ASCII, which lengths below 128 are too, one string is cut up: a decoding each takes several times as long.
  const whole = isAscii(bytes) ? bytes.toString('latin1') : undefined;
  for (let at = 0; at < bytes.length; ) {
    const start = at + 4;
    at = start + view.getUint32(at, true);
    texts.push(whole === undefined ? decoder.decode(bytes.subarray(start, at)) : whole.slice(start, at));
  }
  return texts;
}

/** Buffers of the same kind, one after the other. */
export function joinBuffers(parts: readonly ArrayBuffer[]): ArrayBuffer {
  if (parts.length === 1) return parts[0]!;
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return joined.buffer;
}

/** Label sets as a table, the form that decodeLabels() reads. */
export function encodeLabels(sets: readonly Labels[]): { strings: ArrayBuffer; rows: ArrayBuffer } {
  const numbers = new Map<string, number>();
  const encoded: Uint8Array[] = [];
  let bytes = 0;
  const numberOf = (text: string): number => {
    let number = numbers.get(text);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(text, number);
      const utf8 = encoder.encode(text);
      encoded.push(utf8);
      bytes += 4 + utf8.length;
    }
    return number;
  };
  const rows = new Uint32Array(sets.reduce((sum, set) => sum + 1 + set.length, 0));
  let at = 0;
  for (const set of sets) {
    rows[at++] = set.length / 2;
    for (const text of set) rows[at++] = numberOf(text);
  }
  const strings = new Uint8Array(bytes);
  const view = new DataView(strings.buffer);
  let offset = 0;
  for (const utf8 of encoded) {
    view.setUint32(offset, utf8.length, true);
    strings.set(utf8, offset + 4);
    offset += 4 + utf8.length;
  }
  return { strings: strings.buffer, rows: rows.buffer };
}
