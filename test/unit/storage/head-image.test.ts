// Starts with an image of the head: what is there is what would be there without, whatever became of the image.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '../../../src/base/prng.js';
import { ShardSource } from '../../../src/shard/source.js';
import { freeContext, writeThrough } from '../../support/shards.js';
import { SimDisk } from '../../support/sim-disk.js';
import { Life } from '../../support/simulation/life.js';

const DATA = 'data';
const IMAGE = `${DATA}/narthex/head.image`;
const MINUTE = 60_000;
const START_MS = Date.UTC(2026, 10, 21, 9);
const STEP_MS = 1000;
const SERIES = 60;

/** Values by time, by series. */
type Written = Map<string, Map<number, number>>;

class Case {
  readonly disk = new SimDisk();
  readonly written: Written = new Map();
  readonly #random: Prng;
  readonly #shards: number;
  #step = 0;
  life!: Life;

  constructor(seed: number, shards: number) {
    this.#random = new Prng(seed);
    this.#shards = shards;
  }

  async begin(): Promise<void> {
    const nowMs = START_MS + this.#step * STEP_MS;
    const storage = {
      ...{ path: DATA, shards: this.#shards, memoryBytes: 96 * 2 ** 20, sync: { mode: 'group' } as const },
      ...{ blockMs: 120 * MINUTE, imageLogBytes: 1, onHopeless: () => {} },
    };
    this.life = await Life.begin({ disk: this.disk, nowMs, storage });
  }

  kill(): void {
    this.life.end();
    this.disk.kill();
  }

  /** Some samples of some series: all kinds of steps and values, also none. */
  async write(steps: number): Promise<void> {
    for (let id = 0; id < SERIES; id++) {
      const random = this.#random;
      const samples: (readonly [number, number])[] = [];
      for (let i = 0; i < steps; i++) {
        if (id % 7 === 0 && random.float() < 0.9) continue;
        const value = id % 3 === 0 ? id : id % 3 === 1 ? random.int(1000) : random.float() * 10 ** random.int(20);
        samples.push([START_MS + (this.#step + i) * STEP_MS + (id % 5 === 0 ? random.int(900) : 0), value]);
      }
      if (samples.length === 0) continue;
      const known = this.written.get(`${id}`) ?? new Map<number, number>();
      for (const [timeMs, value] of samples) known.set(timeMs, value);
      this.written.set(`${id}`, known);
      const labels = ['__name__', 'm', 'id', `${id}`];
      await this.life.settle(
        writeThrough(this.life.storage, 0, [{ labels, samples }], START_MS + (this.#step + steps) * STEP_MS),
      );
    }
    this.#step += steps;
  }

  /** Until what is sealed is in files, and an image was taken. */
  async image(): Promise<void> {
    await this.life.pass(40_000);
    assert.ok(
      this.disk.quietly(() => this.disk.stat(IMAGE)) !== undefined,
      `an image: ${this.life.log.lines.join('; ')}`,
    );
  }

  async assertThere(what: string): Promise<void> {
    const source = new ShardSource(this.life.storage.shards, 'adhoc');
    const matchers = [{ name: '__name__', op: '=', value: 'm' } as const];
    const rows = await this.life.settle(source.samples(matchers, 601 * MINUTE, START_MS + 600 * MINUTE, freeContext()));
    source.close();
    const found: Written = new Map(
      rows.map(({ labels, times, values }) => [
        labels[labels.indexOf('id') + 1]!,
        new Map(Array.from(times, (timeMs, i) => [timeMs, values[i]!])),
      ]),
    );
    const sorted = (samples: Written) => [...samples].sort(([a], [b]) => Number(a) - Number(b));
    assert.deepEqual(sorted(found), sorted(this.written), what);
  }

  get imaged(): number {
    return this.life.storage.recovery.figures.imagedSamples;
  }
}

async function withImage(seed: number, shards: number): Promise<Case> {
  const one = new Case(seed, shards);
  await one.begin();
  await one.write(170);
  await one.image();
  return one;
}

for (const shards of [1, 3]) {
  test(`${shards} shards: an image and the log behind it are what there was, again and again`, async () => {
    const one = await withImage(shards, shards);
    for (const steps of [0, 1, 45, 200]) {
      if (steps > 0) await one.write(steps);
      one.kill();
      await one.begin();
      assert.ok(one.imaged > 0, 'the image is used');
      await one.assertThere(`${steps} steps behind the image`);
    }
    // Appends go on where they were.
    await one.write(150);
    await one.image();
    one.kill();
    await one.begin();
    await one.assertThere('after another image');
    one.kill();
  });

  test(`${shards} shards: an image that is damaged anywhere, or cut off, is as good as none`, async () => {
    const one = await withImage(10 + shards, shards);
    await one.write(20);
    one.kill();
    const whole = one.disk.quietly(() => one.disk.readFile(IMAGE)).slice();
    const random = new Prng(shards);
    const places = [0, 4, 8, 17, 20, 24, whole.length - 8, whole.length - 1];
    for (let i = 0; i < 12; i++) places.push(random.int(whole.length));
    for (const place of places) {
      const damaged = whole.slice();
      damaged[place]! ^= 1 << random.int(8);
      one.disk.quietly(() => one.disk.writeFileAtomic(IMAGE, random.float() < 0.7 ? damaged : whole.slice(0, place)));
      await one.begin();
      assert.equal(one.imaged, 0, `byte ${place}`);
      await one.assertThere(`byte ${place}`);
      one.kill();
    }
    one.disk.quietly(() => one.disk.writeFileAtomic(IMAGE, whole));
    await one.begin();
    assert.ok(one.imaged > 0);
    one.kill();
  });
}

test('a disk that refuses the image at any read, once or for good: the log is read instead', async () => {
  const one = await withImage(20, 1);
  await one.write(20);
  one.kill();
  for (const operation of ['open', 'pread', 'size', 'stat'] as const) {
    for (let nth = 1; nth <= 6; nth++) {
      one.disk.fail({
        operation,
        path: 'head.image',
        nth,
        times: nth % 2 === 0 ? 1 : Number.POSITIVE_INFINITY,
        code: 'EIO',
      });
      await one.begin();
      one.disk.heal();
      await one.assertThere(`${operation} ${nth}`);
      one.kill();
    }
  }
});

test('a disk that refuses to write the image: the one before stays, or none', async () => {
  for (const operation of ['open', 'pwrite', 'fdatasync', 'rename'] as const) {
    const one = new Case(30, 1);
    await one.begin();
    one.disk.fail({ operation, path: 'head.image', nth: 1, times: 2, code: 'ENOSPC' });
    await one.write(170);
    await one.life.pass(40_000);
    assert.match(one.life.log.lines.map(([, message]) => message).join('\n'), /No image of the head/, operation);
    one.disk.heal();
    await one.write(150);
    await one.image();
    await one.write(10);
    one.kill();
    await one.begin();
    assert.ok(one.imaged > 0);
    await one.assertThere(operation);
    one.kill();
  }
});
