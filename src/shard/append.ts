// One append in one shard: what handlers that add samples share.

import type { AppendOutcome, Head, PartRef, Refusal } from '../wasm/head.js';
import { NO_SERIES, type SeriesIndex } from '../wasm/head.js';
import type { AppendHeader, Outcome, WalParts } from './protocol.js';
import type { Refs } from './refs.js';

/** WAL parts that wait for the log to take them, by number. */
export class PartStore {
  readonly #head: Head;
  readonly #parts = new Map<number, PartRef[]>();
  #last: number;
  /** The append under way. */
  #scope: AppendScope | undefined;

  constructor(head: Head, firstNumber: number) {
    this.#head = head;
    this.#last = firstNumber;
  }

  keep(parts: PartRef[]): number {
    const number = ++this.#last;
    this.#parts.set(number, parts);
    return number;
  }

  release(number: number): void {
    for (const part of this.#parts.get(number) ?? []) this.#head.closePart(part);
    this.#parts.delete(number);
  }

  get count(): number {
    return this.#parts.size;
  }

  begin(scope: AppendScope): void {
    this.#scope = scope;
  }

  end(): void {
    this.#scope = undefined;
  }

  /** The handler failed: what its append had done so far is in the head, and must get into the log. */
  abandon(): WalParts | undefined {
    return this.#scope?.finish().wal;
  }
}

const NO_WAL: WalParts = { series: undefined, samples: undefined, release: 0 };

/** Collects what one append does in this shard; finish() ends it. */
export class AppendScope {
  readonly #head: Head;
  readonly #refs: Refs;
  readonly #store: PartStore;
  readonly #header: AppendHeader;
  #seriesPart: PartRef | undefined;
  #samplesPart: PartRef | undefined;
  #created = 0;
  #refused = 0;

  constructor(head: Head, refs: Refs, store: PartStore, header: AppendHeader) {
    this.#head = head;
    this.#refs = refs;
    this.#store = store;
    this.#header = header;
    store.begin(this);
    head.beginAppend();
  }

  get created(): number {
    return this.#created;
  }

  /** New series that the memory limit refused. */
  get refused(): number {
    return this.#refused;
  }

  /** The series of the labels in the scratch, made where there is none; NO_SERIES where memory is refused. */
  seriesOfScratch(): SeriesIndex {
    const known = this.#head.resolve();
    if (known !== NO_SERIES) return known;
    this.#seriesPart ??= this.#head.openPart();
    const made = this.#head.create(this.#seriesPart, this.#refs.take());
    if (made === NO_SERIES) {
      this.#refs.giveBack();
      this.#refused++;
    } else {
      this.#created++;
    }
    return made;
  }

  /** Appends rows at an address. */
  rows(address: number, count: number): void {
    if (count === 0) return;
    this.#samplesPart ??= this.#head.openPart();
    if (!this.#head.rows(address, count, this.#header, this.#samplesPart)) this.#refused += count;
  }

  /** What happened, and the parts for the log, kept by number until it has them. */
  finish(): { outcome: Outcome; wal: WalParts } {
    this.#store.end();
    const series = this.#span(this.#seriesPart);
    const samples = this.#span(this.#samplesPart);
    const parts = [this.#seriesPart, this.#samplesPart].filter((part) => part !== undefined);
    const wal = parts.length === 0 ? NO_WAL : { series, samples, release: this.#store.keep(parts) };
    return { outcome: outcomeOf(this.#head.outcome(), this.#created), wal };
  }

  #span(part: PartRef | undefined): WalParts['series'] {
    if (part === undefined) return undefined;
    const span = this.#head.partSpan(part);
    return span.bytes === 0 ? undefined : span;
  }
}

function outcomeOf(outcome: AppendOutcome, created: number): Outcome {
  const { accepted, repeated, outOfOrder, duplicate, tooOld, tooFar, noMemory, unknown, firstRefusal, maxTimeMs } =
    outcome;
  return {
    accepted,
    repeated,
    outOfOrder,
    duplicate,
    tooOld,
    tooFar,
    noMemory,
    unknown,
    created,
    firstRefused: firstRefusal && WORDS[firstRefusal],
    newestMs: maxTimeMs,
  };
}

/** As Prometheus says it. */
const WORDS: Record<Refusal, string> = {
  'out of order': 'out of order sample',
  duplicate: 'duplicate sample for timestamp',
  'too old': 'out of bounds',
  'too far': 'out of bounds: the timestamp is too far in the future',
  'no memory': 'the memory limit is reached',
};
