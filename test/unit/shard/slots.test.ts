// Slots: pieces of a region that are lent, grow and come back, against a plain list of who has which bytes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { type Slot, Slots } from '../../../src/shard/slots.js';

const KIB = 1024;
const MIB = 1024 * KIB;
const REGION = { address: 64 * KIB, bytes: 16 * MIB };

function setup() {
  const memory = new WebAssembly.Memory({ initial: 512, maximum: 512, shared: true });
  return { memory, slots: new Slots(memory, REGION) };
}

/** Throws where two slots overlap, or one lies outside of the region. */
function checkApart(all: readonly Slot[]): void {
  const inOrder = [...all].sort((a, b) => a.address - b.address);
  let end = REGION.address;
  for (const slot of inOrder) {
    assert.ok(slot.address >= end, 'slots are apart');
    assert.ok(slot.reserved >= slot.bytes);
    end = slot.address + slot.reserved;
  }
  assert.ok(end <= REGION.address + REGION.bytes);
}

test('slots of random lengths are apart, keep their bytes when they grow, and all room comes back', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const prng = new Prng(seed);
    const { slots } = setup();
    const held: { slot: Slot; mark: number }[] = [];
    for (let turn = 0; turn < 500; turn++) {
      const at = prng.int(held.length + 1);
      const one = held[at];
      const bytes = 1 + prng.int(prng.int(4) === 0 ? 3 * MIB : 40 * KIB);
      if (one === undefined) {
        const slot = slots.take(bytes);
        if (slot === undefined) continue;
        const mark = 1 + prng.int(255);
        slots.view(slot).fill(mark);
        held.push({ slot, mark });
      } else if (prng.int(2) === 0) {
        const kept = one.slot.bytes;
        const grown = slots.grow(one.slot, kept + bytes, kept);
        if (grown === undefined) continue;
        one.slot = grown;
        slots.view(grown).fill(one.mark, kept);
      } else {
        held.splice(at, 1);
        slots.give(one.slot);
      }
      checkApart(held.map(({ slot }) => slot));
      assert.equal(
        slots.usedBytes,
        held.reduce((sum, { slot }) => sum + slot.reserved, 0),
      );
    }
    for (const { slot, mark } of held) {
      assert.ok(
        slots.view(slot).every((byte) => byte === mark),
        `seed ${seed}: the bytes of a slot are its own`,
      );
      slots.give(slot);
    }
    assert.equal(slots.take(REGION.bytes - 64)?.address, REGION.address, `seed ${seed}: one piece again`);
  }
});

test('a slot grows where it is while what follows is free', () => {
  const { slots } = setup();
  const slot = slots.take(64 * KIB)!;
  assert.equal(slots.grow(slot, 8 * MIB, 64 * KIB)?.address, slot.address);
});

test('what grows and grows leaves a quarter of the room, for bodies that are short or whose length is known', () => {
  const { slots } = setup();
  let endless = slots.take(64 * KIB)!;
  for (;;) {
    const grown = slots.grow(endless, 2 * endless.bytes, endless.bytes);
    if (grown === undefined) break;
    endless = grown;
  }
  assert.ok(slots.usedBytes > REGION.bytes / 4 && slots.usedBytes <= (REGION.bytes * 3) / 4);
  const second = slots.take(64 * KIB)!;
  assert.notEqual(slots.grow(second, MIB, 64 * KIB), undefined, 'up to a mebibyte');
  assert.notEqual(slots.take(3 * MIB), undefined, 'known to be long');
});

test('slots of a shard that was made again are refused', () => {
  const { slots } = setup();
  const slot = slots.take(64 * KIB)!;
  const { memory } = setup();
  slots.restart(memory, REGION);
  assert.equal(slots.grow(slot, 2 * MIB, 64 * KIB), undefined);
  slots.give(slot);
  assert.equal(slots.usedBytes, 0);
});
