// An index whose checksums are right and whose content is not: a fault or an answer, never a crash, never a hang.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { BlockFault } from '../../../src/tsdb/block/contract.js';
import { TOC_BYTES } from '../../../src/tsdb/block/layout.js';
import { labelNames, labelValues, selectSeries } from '../../../src/tsdb/block/select.js';
import { verifyBlock } from '../../../src/tsdb/block/verify.js';
import { inMemory, testCrc, withBlock } from '../../support/block.js';
import type { SimDisk } from '../../support/sim-disk.js';
import { testdata } from '../../support/testdata.js';

const KILLED = testdata('blocks/killed/01M7Y0DYVRQYB5RRVPA5E1T2RB');
const PATH = 'data/block';
const ROUNDS = 150;

interface Stretch {
  /** Content, and behind it the checksum. */
  readonly start: number;
  readonly end: number;
}

/** What has a checksum of its own, by kind. */
const stretches = withBlock(KILLED, ({ index }): Record<string, Stretch[]> => {
  const bytes = inMemory(KILLED).readFile(`${PATH}/index`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const section = (at: number) => ({ start: at + 4, end: at + 4 + view.getUint32(at) });
  const lists = index.names().flatMap((name) => Array.from(index.values(name), ({ offset }) => section(offset)));
  const series = Array.from(index.allSeries(), (ref) => {
    // Series of this block are short: one byte says how long.
    assert.ok(bytes[ref * 16]! < 128);
    return { start: ref * 16 + 1, end: ref * 16 + 1 + bytes[ref * 16]! };
  });
  return {
    symbols: [section(index.toc.symbols)],
    series,
    postings: lists,
    'postings table': [section(index.toc.postingsTable)],
    'table of contents': [{ start: bytes.length - TOC_BYTES, end: bytes.length - 4 }],
  };
});

function askAll(disk: SimDisk): void {
  withBlock(
    PATH,
    (block) => {
      const refuse = [{ name: 'instance', op: '!=', value: 'x' }] as const;
      for (const ask of [
        () => verifyBlock(block),
        () => labelNames(block, refuse),
        () => labelValues(block, 'instance', refuse),
        () => labelValues(block, 'instance'),
        () => selectSeries(block, [{ name: '__name__', op: '=~', value: 'fx_(nh|c).*' }]),
        () => block.index.symbols.find('fx_nh'),
        () => block.index.symbols.table(),
      ]) {
        orFault(ask);
      }
    },
    disk,
  );
}

function orFault(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof BlockFault)) throw error;
  }
}

const HOSTILE = [0, 1, 2, 0x7f, 0x80, 0xff];

for (const [kind, places] of Object.entries(stretches)) {
  test(`${kind}: changed, the checksum with it`, () => {
    assert.ok(places.length > 0);
    const crc = testCrc();
    const disk = inMemory(KILLED);
    const pristine = disk.readFile(`${PATH}/index`);
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const prng = new Prng(seed);
      const { start, end } = prng.pick(places);
      disk.damage(`${PATH}/index`, () => {
        const bytes = Uint8Array.from(pristine);
        const at = start + prng.int(end - start);
        for (let i = at; i < Math.min(end, at + 1 + prng.int(10)); i++) {
          bytes[i] = prng.float() < 0.5 ? prng.pick(HOSTILE) : prng.int(256);
        }
        new DataView(bytes.buffer).setUint32(end, crc.of(bytes.subarray(start, end)));
        return bytes;
      });
      try {
        orFault(() => askAll(disk));
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
  });
}
