// The series of a query in blocks and head, as one list of numbers.
//
//   head's list   3  7  9  12              block A   refs → 7  guest 0  FOREIGN  9
//                  └──┬───┘                block B   refs → guest 0  guest 1
//   joined        3  7  9  12  guest 0  guest 1

import type { Matcher } from '../../model/matcher.js';
import { isGuest, isSeries } from '../../wasm/guests.js';
import type { Select, SeriesList } from '../../wasm/select.js';
import type { LateView } from '../late/late-view.js';
import type { ChunkSource, HistoryBlock } from './block.js';
import type { Faults } from './faults.js';
import type { BlockNumbers } from './numbers.js';
import { Places } from './places.js';

/** Both ends in it. */
export interface TimeSpan {
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** A block and its series' numbers. */
export interface NumberedBlock {
  readonly block: HistoryBlock;
  readonly numbers: BlockNumbers;
}

/** What a block has for a query. */
interface Found {
  readonly block: HistoryBlock;
  readonly refs: Uint32Array;
  /** Of the series at the same index. */
  readonly numbers: Uint32Array;
}

/** What there is beside the head's own chunks, by places in a list: refs of a block's series, 0 where it has none. */
export interface PlacedChunks {
  readonly block: ChunkSource;
  readonly refs: Uint32Array;
}

export interface PlacedBlock extends PlacedChunks {
  readonly block: HistoryBlock;
}

/** What blocks have for a query, oldest first, and late samples behind them. */
export class HistorySelection {
  readonly #found: readonly Found[];
  readonly #late: LateView | undefined;

  private constructor(found: readonly Found[], late: LateView | undefined) {
    this.#found = found;
    this.#late = late;
  }

  /** Looks for the series that match any of the selectors in blocks that may have samples in the span; all series without selectors. */
  static of(
    blocks: readonly NumberedBlock[],
    selectors: readonly (readonly Matcher[])[],
    span: TimeSpan,
    faults: Faults,
    check?: () => void,
    late?: LateView,
  ): HistorySelection {
    const found: Found[] = [];
    for (const { block, numbers } of blocks) {
      if (!overlaps(block, span)) continue;
      const times = {
        minTimeMs: Math.max(block.minTimeMs, span.minTimeMs),
        maxTimeMs: Math.min(block.maxTimeMs - 1, span.maxTimeMs),
      };
      const one = faults.guard(block.ulid, times, () => {
        const refs = union(
          selectors.length === 0 ? [block.select([], check)] : selectors.map((one) => block.select(one, check)),
        );
        return { block, refs, numbers: numbers.of(refs) };
      });
      if (one !== undefined && one.refs.length > 0) found.push(one);
    }
    return new HistorySelection(found, late);
  }

  get isEmpty(): boolean {
    return this.#found.length === 0 && this.#late === undefined;
  }

  /**
   * A list of the head's series and the guests, in the order in which the block that has most of them has them: what is
   * read together lies together then. Takes the list, also where it throws.
   */
  join(select: Select, list: SeriesList): SeriesList {
    if (this.#found.length === 0) return list;
    const guests = new Set<number>();
    for (const { numbers } of this.#found) for (const number of numbers) if (isGuest(number)) guests.add(number);
    const joined = select.extended(list, Uint32Array.from(guests).sort());
    const numbers = select.indexes(joined);
    numbers.set(this.#inBlockOrder(numbers));
    return joined;
  }

  #inBlockOrder(list: Uint32Array): Uint32Array {
    const places = new Places(list);
    const ordered = new Uint32Array(list.length);
    const isTaken = new Uint8Array(list.length);
    let count = 0;
    const take = (place: number) => {
      if (place < 0 || isTaken[place] === 1) return;
      isTaken[place] = 1;
      ordered[count++] = list[place]!;
    };
    const largestFirst = [...this.#found].sort((a, b) => b.refs.length - a.refs.length);
    for (const { numbers } of largestFirst) {
      for (let i = 0; i < numbers.length; i++) if (isSeries(numbers[i]!)) take(places.of(numbers[i]!));
    }
    for (let place = 0; place < list.length; place++) take(place);
    return ordered;
  }

  /** Where those of the series that have late samples stand in a list of numbers. */
  placeLate(list: Uint32Array): PlacedChunks | undefined {
    return this.#late?.place(list);
  }

  /** Where the blocks' series stand in a list of numbers. */
  place(list: Uint32Array): PlacedBlock[] {
    const places = new Places(list);
    return this.#found.map(({ block, refs, numbers }) => {
      const placed = new Uint32Array(list.length);
      for (let i = 0; i < refs.length; i++) {
        const place = isSeries(numbers[i]!) ? places.of(numbers[i]!) : -1;
        if (place >= 0) placed[place] = refs[i]!;
      }
      return { block, refs: placed };
    });
  }
}

export function overlaps({ minTimeMs, maxTimeMs }: TimeSpan, span: TimeSpan): boolean {
  return minTimeMs <= span.maxTimeMs && maxTimeMs > span.minTimeMs;
}

/** Ascending, each once. */
function union(lists: readonly Uint32Array[]): Uint32Array {
  if (lists.length === 1) return lists[0]!;
  return Uint32Array.from(new Set(lists.flatMap((list) => [...list]))).sort();
}
