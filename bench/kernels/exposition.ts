// Text to rows: hash, floats, the parser by the ways a line can take. `node dist/bench/kernels/exposition.js [filter]`

import { pathToFileURL } from 'node:url';
import { BODY_SLACK } from '../../assembly/layout.js';
import { Prng } from '../../src/base/prng.js';
import { Core } from '../../src/wasm/core.js';
import { type Body, type BodyFormat, Exposition, type LineCache } from '../../src/wasm/exposition.js';
import { protobufOf } from './exposition-protobuf.js';
import { bodyText } from './exposition-text.js';
import { type Micro, printAll } from './micro.js';

const LINES = 2000;
const OPTIONS = { honorTimestamps: true, trackTimestampsStaleness: false };

/** A body that stays in linear memory. */
function place(core: Core, text: string | Buffer): Body {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const address = core.exports.heap_alloc(bytes.length + BODY_SLACK) >>> 0;
  core.bytes.set(bytes, address);
  return { address, length: bytes.length };
}

/** Parses a body a target has not seen, and gives its lines their series. */
function learn(exposition: Exposition, cache: LineCache, body: Body, format: BodyFormat = 'text'): void {
  const parsed = exposition.parse(cache, body, 0, { ...OPTIONS, format });
  if (!parsed.ok) throw new Error(parsed.message);
  for (let miss = 0; miss < parsed.misses; miss++) exposition.resolve(cache, miss, miss, miss, 0);
  exposition.clearRows();
}

/** Every line where it was: `targets` caches of 2,000 lines, one after the other. */
function steady(targets: number, format: BodyFormat = 'text'): Micro {
  const options = { ...OPTIONS, format };
  return {
    name: `parse ${format}, all lines expected, ${targets * LINES} series`,
    unit: 'line',
    prepare: () => {
      const core = new Core();
      const exposition = new Exposition(core);
      const bodies = [1, 2, 3, 4].map((seed) => place(core, bodyOf(bodyText(LINES, seed), format)));
      const caches = Array.from({ length: targets }, () => exposition.open());
      caches.forEach((cache, i) => {
        learn(exposition, cache, bodies[i % bodies.length]!, format);
      });
      return () => {
        for (let i = 0; i < targets; i++) {
          exposition.parse(caches[i]!, bodies[i % bodies.length]!, i, options);
          exposition.vanished(caches[i]!, i);
          exposition.clearRows();
        }
        return targets * LINES;
      };
    },
  };
}

function bodyOf(text: string, format: BodyFormat): string | Buffer {
  return format === 'protobuf' ? protobufOf(text) : format === 'openmetrics' ? `${text}# EOF\n` : text;
}

/** The lines in another order every time: all found by hash. */
function shuffled(): Micro {
  return {
    name: 'parse, all lines moved',
    unit: 'line',
    prepare: () => {
      const core = new Core();
      const exposition = new Exposition(core);
      const lines = bodyText(LINES, 1)
        .split('\n')
        .filter((line) => !line.startsWith('#') && line !== '');
      const prng = new Prng(7);
      const bodies = Array.from({ length: 4 }, () => {
        const order = lines.map((line) => ({ line, key: prng.u32() })).sort((a, b) => a.key - b.key);
        return place(core, order.map(({ line }) => line).join('\n'));
      });
      const cache = exposition.open();
      learn(exposition, cache, bodies[0]!);
      let round = 0;
      return () => {
        exposition.parse(cache, bodies[round++ % bodies.length]!, round, OPTIONS);
        exposition.clearRows();
        return LINES;
      };
    },
  };
}

/** A target never seen: every line a miss. `labels`: with its labels put into the scratch. */
function first(labels: boolean): Micro {
  return {
    name: `parse, first scrape${labels ? ', labels read' : ''}`,
    unit: 'line',
    prepare: () => {
      const core = new Core();
      const exposition = new Exposition(core);
      const body = place(core, bodyText(LINES, 1));
      return () => {
        const cache = exposition.open();
        exposition.setTarget(cache, ['instance', 'localhost:9090', 'job', 'service'], false);
        exposition.parse(cache, body, 0, OPTIONS);
        if (labels) for (let miss = 0; miss < LINES; miss++) exposition.readLabels(cache, miss);
        exposition.clearRows();
        exposition.close(cache);
        return LINES;
      };
    },
  };
}

function hash(length: number): Micro {
  return {
    name: `hash of ${length} bytes`,
    unit: 'hash',
    prepare: () => {
      const { exports } = new Core();
      const text = exports.heap_alloc(4096);
      const out = exports.heap_alloc(16);
      return () => {
        for (let i = 0; i < 1000; i++) exports.hash_bytes(text + (i & 63), length, out);
        return 1000;
      };
    },
  };
}

/** One call a number, so about 5 ns of each figure are the crossing. */
function floats(what: 'parse' | 'print', kind: string, make: (prng: Prng) => number): Micro {
  const COUNT = 2000;
  return {
    name: `float ${what}, ${kind}`,
    unit: 'number',
    prepare: () => {
      const { exports, bytes, view } = new Core();
      const prng = new Prng(3);
      const values = Array.from({ length: COUNT }, () => make(prng));
      const texts = exports.heap_alloc(COUNT * 32);
      const cells = exports.heap_alloc(COUNT * 8);
      const out = exports.heap_alloc(64);
      values.forEach((value, i) => {
        bytes.set(Buffer.from(`${value} \0\0`), texts + i * 32);
        view.setFloat64(cells + i * 8, value, true);
      });
      if (what === 'parse') {
        return () => {
          for (let i = 0; i < COUNT; i++) exports.float_parse(texts + i * 32, out);
          return COUNT;
        };
      }
      return () => {
        for (let i = 0; i < COUNT; i++) exports.float_print(cells + i * 8, out, 0);
        return COUNT;
      };
    },
  };
}

const KINDS: readonly [kind: string, make: (prng: Prng) => number][] = [
  ['integers', (prng) => prng.int(1e6)],
  ['decimals', (prng) => Math.round(prng.float() * 1e9) / 1e4],
  ['17 digits', (prng) => prng.float() * 1000],
];

export const expositionMicros: readonly Micro[] = [
  steady(1),
  steady(50),
  steady(500),
  steady(50, 'openmetrics'),
  steady(50, 'protobuf'),
  shuffled(),
  first(false),
  first(true),
  hash(20),
  hash(100),
  ...KINDS.flatMap(([kind, make]) => [floats('parse', kind, make), floats('print', kind, make)]),
];

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  printAll(expositionMicros);
