// Damage to a data directory, one place at a time: the server starts, shows no wrong value, has all that the damage did not
// touch, and says what it lost.

import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realDisk } from '../../../src/base/disk.js';
import { Prng } from '../../../src/base/prng.js';
import { OUT_OF_ORDER_HINT } from '../../../src/tsdb/compact/plan.js';
import { type LogRecords, type LostRecords, logRecords, lostRecords } from '../log-records.js';
import { RemoteWriter, writeAll } from '../remote-write.js';
import { eventually, type Server, sleep, startNarthex } from '../servers.js';
import { PREFIX, STEP_MS, Story } from '../story.js';

const HOUR_MS = 3_600_000;
const KIB = 1024;
const MANIFEST_EVERY_MS = 1000;
/** Chunks are spilled at once after a start, then this often. */
const SPILL_MS = 35_000;
const LATE_WRITES = 300;
const WITH_LATE = 'global: {scrape_interval: 1h}\nstorage: {tsdb: {out_of_order_time_window: 1h}}\n';

/** What happens to a file; false where it is too short for that. */
type Damage = (path: string, random: Prng) => boolean;

/** The seven kinds that the trusted systems were measured with. */
export const KINDS: ReadonlyMap<string, Damage> = new Map<string, Damage>([
  ['tail cut', (path, random) => cut(path, (used) => used - 1 - random.int(Math.min(used - 1, 4 * KIB)))],
  ['cut deep', (path, random) => cut(path, (used) => Math.floor(used * (0.1 + 0.6 * random.float())))],
  ['bit near the end', (path, random) => flip(path, (used) => used - 1 - random.int(Math.min(used, 8 * KIB)), random)],
  ['bit anywhere', (path, random) => flip(path, (used) => random.int(used), random)],
  ['page of zeroes', (path, random) => zero(path, random)],
  ['garbage behind', (path, random) => append(path, random)],
  ['emptied or gone', (path, random) => empty(path, random)],
]);

/** Which files of the directory. */
export const PLACES: ReadonlyMap<string, (data: string) => string[]> = new Map([
  ['log', (data) => filesIn(join(data, 'wal')).filter((path) => /\/\d+$/.test(path) && usedBytes(path) > 0)],
  ['checkpoint', (data) => foldersIn(join(data, 'wal'), /^checkpoint\./).flatMap(filesIn)],
  ['index', (data) => blocksOf(data).map((block) => join(block, 'index'))],
  ['chunks', (data) => blocksOf(data).flatMap((block) => filesIn(join(block, 'chunks')))],
  ['meta', (data) => blocksOf(data).map((block) => join(block, 'meta.json'))],
  [
    'tombstones',
    (data) =>
      blocksOf(data)
        .map((block) => join(block, 'tombstones'))
        .filter(existsSync),
  ],
  ['own', (data) => filesIn(join(data, 'narthex'))],
  ['series', (data) => filesBelow(join(data, 'narthex', 'series'))],
  ['chunks_head', chunkFiles],
  ['late log', (data) => filesIn(join(data, 'wbl')).filter((path) => usedBytes(path) > 0)],
]);

export interface TrialReport {
  readonly what: string;
  readonly missing: number;
  readonly revived: number;
  readonly samples: number;
}

/** A directory with blocks, merged ones, a checkpoint, chunks of the head, both logs, deletions; and trials on copies of it. */
export class DamageTrials {
  readonly #folder = mkdtempSync(join(tmpdir(), 'narthex-damage-'));
  readonly #template = join(this.#folder, 'template');
  #story: Story | undefined;

  async prepare(): Promise<void> {
    const story = new Story(Math.floor((Date.now() - 10 * HOUR_MS) / (6 * HOUR_MS)) * 6 * HOUR_MS);
    this.#story = story;
    const hour = HOUR_MS / STEP_MS;
    for (const [life, steps] of [story.steps - 3 * hour, hour, hour].entries()) {
      await this.#with(this.#template, 1 + life, async (server) => {
        await story.write(server, steps);
        await story.delete(server, 'counter', 'n', '3', 50, 400);
      });
    }
    await this.#with(this.#template, 2, async (server) => {
      await eventually(async () => assert.ok(checkpointsOf(this.#template).length > 0, 'no checkpoint yet'));
      await eventually(async () => assert.ok(blocksOf(this.#template).length >= 3, 'no blocks yet'));
      await story.write(server, story.steps);
      await story.delete(server, 'counter', 'n', '5', 100, story.steps);
      await this.#writeLate(server, story);
      await eventually(async () => assert.ok(chunkFiles(this.#template).some((path) => usedBytes(path) > 8)), SPILL_MS);
      await story.check(server, 'before the damage');
      // What is missing from the end is missed once the manifest knows of it: a second later.
      await sleep(2 * MANIFEST_EVERY_MS);
    });
  }

  /** Samples that come out of order. */
  async #writeLate({ url }: Server, { ledger, startMs, steps }: Story): Promise<void> {
    const newest = { labels: ['__name__', `${PREFIX}late`], samples: [[startMs + steps * STEP_MS, 0] as const] };
    const late = (n: number) => ({
      labels: ['__name__', `${PREFIX}late`],
      samples: Array.from({ length: 8 }, (_, i) => [newest.samples[0]![0] - (n * 8 + i + 1) * 1000, i] as const),
    });
    for (const series of [newest, ...Array.from({ length: LATE_WRITES }, (_, n) => late(n))]) {
      await writeAll(url, [series]);
      ledger.note([series]);
    }
  }

  /** One trial; throws where a promise is broken. undefined where there is nothing of that kind to damage. */
  async run(kind: string, place: string, seed: number): Promise<TrialReport | undefined> {
    const random = new Prng(seed);
    const data = join(this.#folder, `trial-${seed}`);
    cpSync(this.#template, data, { recursive: true });
    try {
      const files = PLACES.get(place)!(data);
      if (files.length === 0) return undefined;
      const path = random.pick(files);
      const span = spanOf(data, path);
      const before = logRecords(realDisk, data);
      if (!KINDS.get(kind)!(path, random)) return undefined;
      const what = `${kind}, ${path.slice(data.length + 1)}, seed ${seed}`;
      try {
        return await this.#judge(what, data, { ...span, lost: lostOf(before, data, path) }, 1 + random.int(2));
      } catch (error) {
        throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
      }
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #judge(what: string, data: string, span: Span & { lost?: LostRecords }, shards: number): Promise<TrialReport> {
    const { ledger } = this.#story!;
    let [missing, revived] = [0, 0];
    await this.#with(data, shards, async (server) => {
      const found = await ledger.compare(server.url, PREFIX);
      assert.deepEqual(found.wrong.slice(0, 5), [], 'wrong values');
      const outside = [...found.missing, ...found.revived].filter(
        (timeMs) => timeMs < span.fromMs || timeMs >= span.toMs,
      );
      assert.equal(outside.length, 0, `${outside.length} samples that the damage did not touch, such as ${outside[0]}`);
      missing = found.missing.length;
      revived = found.revived.length;
      if (span.lost !== undefined) {
        const { samples, hasDeletions, ofSeries } = span.lost;
        assert.ok(
          missing <= samples.size,
          `${missing} missing of ${samples.size} that were damaged; ${ofSeries} records of series were`,
        );
        assert.ok(revived === 0 || hasDeletions, `${revived} revived, and no deletion was damaged`);
      }
      if (missing + revived > 0 && found.warnings.length === 0) {
        assert.match(server.log(), TOLD, `${missing} lost, ${revived} revived, and nothing said:\n${server.log()}`);
      }
      const recovery = (await (await fetch(`${server.url}/api/v1/status/recovery`)).json()) as RecoveryAnswer;
      const { lost, malformed } = recovery.data;
      // Of blocks it is said once they were read through.
      const isTold = lost.length + malformed.length + found.warnings.length > 0;
      assert.ok(missing === 0 || isTold, `${missing} lost, and the status has nothing of it`);
      await assertTakesWrites(server);
    });
    // A block may be put aside by now; values stay right.
    await this.#with(data, 1, async (server) => {
      const again = await ledger.compare(server.url, PREFIX);
      assert.deepEqual(again.wrong.slice(0, 5), [], 'wrong values after another start');
    });
    return { what, missing, revived, samples: ledger.size };
  }

  async #with(data: string, shards: number, action: (server: Server) => Promise<void>): Promise<void> {
    const server = await startNarthex({
      data,
      config: WITH_LATE,
      flags: [
        ...['--web.enable-admin-api', '--web.enable-remote-write-receiver', `--shards=${shards}`],
        ...['--storage.tsdb.retention.time=100y', '--storage.tsdb.block-reload-interval=1s'],
      ],
    });
    try {
      await action(server);
    } finally {
      await server.end('SIGKILL');
    }
  }
}

interface RecoveryAnswer {
  readonly data: { readonly lost: readonly unknown[]; readonly malformed: readonly unknown[] };
}

/** What the log says of a loss. */
const TOLD = /Damage in the log|cut short|put aside|is not served|was passed over|level=(WARN|ERROR)/;

async function assertTakesWrites({ url }: Server): Promise<void> {
  const writer = new RemoteWriter(url);
  const { status, text } = await writer.write([{ labels: ['__name__', 'later'], samples: [[Date.now(), 1]] }]);
  writer.close();
  assert.equal(status, 204, text);
}

/** What records of the log held that cannot be read any more, where it is the log that was damaged. */
function lostOf(before: LogRecords, data: string, path: string): LostRecords | undefined {
  return path.includes('/wal/') ? lostRecords(before, logRecords(realDisk, data)) : undefined;
}

/** Times of what a file has a part in. */
interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function spanOf(data: string, path: string): Span {
  const block = blocksOf(data).find((one) => path.startsWith(`${one}/`));
  if (block !== undefined) {
    const { minTime, maxTime } = metaOf(block);
    return { fromMs: minTime, toMs: maxTime };
  }
  if (/\/(wal|wbl|chunks_head)\//.test(path)) return { fromMs: headFromMs(data), toMs: Number.POSITIVE_INFINITY };
  return { fromMs: 0, toMs: 0 };
}

/** Blocks of samples that came late say nothing of where the head begins. */
function headFromMs(data: string): number {
  const metas = blocksOf(data).map(metaOf);
  return Math.max(
    ...metas.filter(({ compaction }) => !compaction.hints?.includes(OUT_OF_ORDER_HINT)).map(({ maxTime }) => maxTime),
  );
}

function metaOf(block: string): { minTime: number; maxTime: number; compaction: { hints?: string[] } } {
  return JSON.parse(readFileSync(join(block, 'meta.json'), 'utf8'));
}

function blocksOf(data: string): string[] {
  return foldersIn(data, /^[0-9A-Z]{26}$/);
}

function checkpointsOf(data: string): string[] {
  return foldersIn(join(data, 'wal'), /^checkpoint\.\d+$/);
}

function chunkFiles(data: string): string[] {
  return filesIn(join(data, 'chunks_head'));
}

function foldersIn(folder: string, name: RegExp): string[] {
  return readdirSync(folder)
    .filter((one) => name.test(one))
    .map((one) => join(folder, one));
}

function filesBelow(folder: string): string[] {
  return [
    ...filesIn(folder),
    ...foldersIn(folder, /^/).flatMap((one) => (statSync(one).isDirectory() ? filesIn(one) : [])),
  ];
}

function filesIn(folder: string): string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

// --- The kinds ---

/** Up to the zeroes at the end. */
function usedBytes(path: string): number {
  const bytes = readFileSync(path);
  let used = bytes.length;
  while (used > 0 && bytes[used - 1] === 0) used--;
  return used;
}

function cut(path: string, at: (used: number) => number): boolean {
  const used = usedBytes(path);
  if (used < 2) return false;
  truncateSync(path, Math.max(0, at(used)));
  return true;
}

function change(path: string, action: (bytes: Buffer, used: number) => void): boolean {
  const used = usedBytes(path);
  if (used === 0) return false;
  const bytes = readFileSync(path);
  action(bytes, used);
  writeFileSync(path, bytes);
  return true;
}

function flip(path: string, at: (used: number) => number, random: Prng): boolean {
  return change(path, (bytes, used) => {
    bytes[at(used)]! ^= 1 << random.int(8);
  });
}

function zero(path: string, random: Prng): boolean {
  return change(path, (bytes, used) => {
    const page = random.int(Math.ceil(used / (4 * KIB)));
    bytes.fill(0, page * 4 * KIB, Math.min(bytes.length, (page + 1) * 4 * KIB));
  });
}

function append(path: string, random: Prng): boolean {
  const garbage = Buffer.from(Array.from({ length: 1 + random.int(6000) }, () => random.int(256)));
  writeFileSync(path, Buffer.concat([readFileSync(path), garbage]));
  return true;
}

function empty(path: string, random: Prng): boolean {
  if (random.int(2) === 0) truncateSync(path, 0);
  else rmSync(path);
  return true;
}
