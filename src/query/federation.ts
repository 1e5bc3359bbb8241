// /federate over all shards: each renders its families in the order of their names, and they are merged here.
//
//   shard 0  floats      a  c  d ─┐
//   shard 0  histograms  b  d     ├─► a  b  c  d (untyped)  d (histogram)
//   shard 1  floats      a  d ────┘
//
// Memory stays flat: one piece of each part of each shard at a time. Text passes as it is. Of protobuf the shards write
// the metrics alone; what a family begins with has the length of all that follows, so it is written here, and a large
// family becomes several messages of the same name.

import { MessageWriter, varintBytes } from '../base/message-writer.js';
import { escapedName } from '../model/exposed.js';
import { compareStrings, type Labels } from '../model/labels.js';
import type { FederatedBlock, FederatedType } from '../shard/federate-samples.js';
import type { Request } from '../shard/protocol.js';
import type { ShardHandle } from '../shard/shards.js';
import type { FederateStyle } from '../wasm/federate.js';

/** What one job of a shard renders: a few milliseconds. */
const PIECE_BYTES = 1024 * 1024;
/** A message of protobuf has one piece more, at the most. */
const MESSAGE_BYTES = 1024 * 1024;

type Part = Request<'nextFederate'>['part'];

/** One part of a shard's families, in name order, fetched a piece at a time. */
export class FamilyStream {
  readonly #handle: ShardHandle;
  readonly #query: number;
  readonly #part: Part;
  #text = new Uint8Array(0);
  #blocks: FederatedBlock[] = [];
  #done = false;

  private constructor(handle: ShardHandle, query: number, part: Part) {
    this.#handle = handle;
    this.#query = query;
    this.#part = part;
  }

  static async open(handle: ShardHandle, request: Request<'openFederate'>): Promise<FamilyStream[]> {
    const { query, hasHistograms } = await handle.client.call('openFederate', request, 'rules');
    const floats = new FamilyStream(handle, query, 'floats');
    return hasHistograms ? [floats, new FamilyStream(handle, query, 'histograms')] : [floats];
  }

  /** The next block; undefined at the end. */
  async peek(): Promise<FederatedBlock | undefined> {
    while (this.#blocks.length === 0 && !this.#done) {
      const request = { query: this.#query, bytes: PIECE_BYTES, part: this.#part };
      const piece = await this.#handle.client.call('nextFederate', request, 'rules');
      this.#done = piece.done;
      this.#text = new Uint8Array(piece.text);
      this.#blocks = piece.blocks;
    }
    return this.#blocks[0];
  }

  /** What was written of the next block. */
  take(): Uint8Array {
    return this.#bytesOf(this.#blocks.shift()!);
  }

  /** All blocks fetched already, in one run. Only while nobody else has families. */
  takeAll(): { readonly blocks: readonly FederatedBlock[]; readonly bytes: Uint8Array } {
    const blocks = this.#blocks;
    this.#blocks = [];
    return { blocks, bytes: this.#text };
  }

  #bytesOf({ offset, bytes }: FederatedBlock): Uint8Array {
    return this.#text.subarray(offset, offset + bytes);
  }

  /** Ends all parts of the shard. */
  close(): void {
    this.#handle.client.call('closeFederate', { query: this.#query }, 'rules').catch(() => {});
  }
}

/** All families of the streams, those of one name and type together. */
export async function* mergeFamilies(
  streams: readonly FamilyStream[],
  { format, utf8 }: Pick<FederateStyle, 'format' | 'utf8'>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let alive = [...streams];
  while (true) {
    signal.throwIfAborted();
    const heads = await Promise.all(alive.map((stream) => stream.peek()));
    alive = alive.filter((_, i) => heads[i] !== undefined);
    if (alive.length === 0) return;
    if (alive.length === 1) {
      const { blocks, bytes } = alive[0]!.takeAll();
      yield format === 'text' ? bytes.subarray(blocks[0]!.offset) : messagesOf(blocks, bytes, utf8);
      continue;
    }
    const live = heads.filter((head) => head !== undefined);
    const next = live.reduce((least, head) => (compareFamilies(head, least) < 0 ? head : least));
    const having = alive.filter((_, i) => isSameFamily(live[i]!, next));
    yield* format === 'text' ? joinText(having, next) : joinMetrics(having, next, utf8);
  }
}

const TYPE_ORDER: Record<FederatedType, number> = { untyped: 0, histogram: 1, gaugehistogram: 2 };

function compareFamilies(a: FederatedBlock, b: FederatedBlock): number {
  return compareStrings(a.name, b.name) || TYPE_ORDER[a.type] - TYPE_ORDER[b.type];
}

function isSameFamily(a: FederatedBlock, b: FederatedBlock): boolean {
  return a.name === b.name && a.type === b.type;
}

/** A family's blocks of all streams. */
async function* blocksOf(streams: readonly FamilyStream[], family: FederatedBlock): AsyncGenerator<Uint8Array> {
  for (const stream of streams) {
    do yield stream.take();
    while (isSame(await stream.peek(), family));
  }
}

function isSame(block: FederatedBlock | undefined, family: FederatedBlock): boolean {
  return block !== undefined && isSameFamily(block, family);
}

const HASH = 0x23;
const NEWLINE = 0x0a;

/** Each stream begins with a TYPE line: the first is the family's. */
async function* joinText(streams: readonly FamilyStream[], family: FederatedBlock): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const text of blocksOf(streams, family)) {
    yield isFirst || text[0] !== HASH ? text : text.subarray(text.indexOf(NEWLINE) + 1);
    isFirst = false;
  }
}

async function* joinMetrics(
  streams: readonly FamilyStream[],
  family: FederatedBlock,
  utf8: boolean,
): AsyncGenerator<Uint8Array> {
  let metrics: Uint8Array[] = [];
  let bytes = 0;
  for await (const some of blocksOf(streams, family)) {
    metrics.push(some);
    bytes += some.length;
    if (bytes < MESSAGE_BYTES) continue;
    yield messageOf(family, metrics, bytes, utf8);
    [metrics, bytes] = [[], 0];
  }
  if (bytes > 0) yield messageOf(family, metrics, bytes, utf8);
}

/** A message for each block. */
export function messagesOf(blocks: readonly FederatedBlock[], bytes: Uint8Array, utf8: boolean): Uint8Array {
  return Buffer.concat(
    blocks.flatMap((block) => [
      familyHead(block, block.bytes, utf8),
      bytes.subarray(block.offset, block.offset + block.bytes),
    ]),
  );
}

function messageOf(family: FederatedBlock, metrics: readonly Uint8Array[], bytes: number, utf8: boolean): Uint8Array {
  return Buffer.concat([familyHead(family, bytes, utf8), ...metrics]);
}

/** The numbers of io.prometheus.client.MetricType. */
const TYPE_NUMBERS: Record<FederatedType, number> = { untyped: 3, histogram: 4, gaugehistogram: 5 };

/** How a delimited io.prometheus.client.MetricFamily begins: its length, 1 name, 3 type; metrics of so many bytes follow. */
function familyHead({ name, type }: FederatedBlock, metricBytes: number, utf8: boolean): Uint8Array {
  const fields = new MessageWriter();
  fields.text(1, escapedName(name, utf8));
  fields.head(3, 0);
  fields.varint(TYPE_NUMBERS[type]);
  const length = fields.length + metricBytes;
  const to = new MessageWriter(Number.MAX_SAFE_INTEGER, fields.length + varintBytes(length));
  to.varint(length);
  to.raw(fields.finish());
  return to.finish();
}

/** Federated series that have no instance get an empty one, so that the puller's own does not replace it. */
export function withInstance(external: Labels): Labels {
  if (external.includes('instance')) return external;
  const pairs: [string, string][] = [['instance', '']];
  for (let i = 0; i < external.length; i += 2) pairs.push([external[i]!, external[i + 1]!]);
  return pairs.sort((a, b) => compareStrings(a[0], b[0])).flat();
}
