// Rows of a large result, rendered block by block as the client takes them.

import { buffersOf } from '../../base/thread.js';
import { QueryError } from '../../promql/errors.js';
import type { RenderedRows } from '../../promql/exec/source.js';
import type { Priority } from '../gate.js';
import { limited, type RowData, seriesText } from '../render.js';
import { type Block, decodeBlock } from './blocks.js';
import type { Evaluators } from './pool.js';
import type { WireResult } from './protocol.js';

const COMMA = Buffer.from(',');

export class BlockRows implements RenderedRows {
  readonly rowCount: number;
  readonly #firstText: Uint8Array | undefined;
  readonly #blocks: (Block | undefined)[];
  readonly #evaluators: Evaluators;
  readonly #priority: Priority;
  readonly #signal: AbortSignal;

  /** Takes the blocks. */
  constructor(
    { rowCount, blocks, firstText }: WireResult & { kind: 'rows' },
    evaluators: Evaluators,
    priority: Priority,
    signal: AbortSignal,
  ) {
    this.rowCount = rowCount;
    this.#blocks = [...blocks];
    this.#firstText = firstText && new Uint8Array(firstText);
    this.#evaluators = evaluators;
    this.#priority = priority;
    this.#signal = signal;
  }

  /** To be asked for once. */
  async *pieces(limit: number): AsyncGenerator<Uint8Array> {
    let left = limit === 0 ? this.rowCount : limit;
    for (let i = 0; i < this.#blocks.length && left > 0; i++) {
      const block = this.#blocks[i]!;
      this.#blocks[i] = undefined;
      const { rowCount } = block;
      if (i > 0) yield COMMA;
      yield await this.#textOf(block, i, left);
      left -= rowCount;
    }
  }

  async #textOf(block: Block, index: number, rowsMax: number): Promise<Uint8Array> {
    // A limit that cuts a block is for people who look at a result, not for machines that take it.
    if (rowsMax < block.rowCount) return cutText(block, rowsMax);
    if (index === 0 && this.#firstText !== undefined) return this.#firstText;
    const order = { priority: this.#priority, cost: block.cells, signal: this.#signal };
    const reply = await this.#evaluators.run({ kind: 'render', block }, buffersOf(block), order);
    if (reply.kind === 'failed') throw new QueryError(reply.type, reply.message);
    if (reply.kind !== 'text') throw new Error(`a block was rendered as ${reply.kind}`);
    return new Uint8Array(reply.text);
  }
}

function cutText(block: Block, rowsMax: number): Uint8Array {
  const { kept } = limited(decodeBlock(block), rowsMax);
  return seriesText(kept as RowData);
}
