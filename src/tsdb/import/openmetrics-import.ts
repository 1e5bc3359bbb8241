// OpenMetrics text with timestamps on its way into blocks: bytes in pieces, errors with the line.

import { Lines, LineTooLong } from '../../exposition/lines.js';
import { OpenMetricsError, OpenMetricsParser } from '../../exposition/openmetrics.js';
import { formatLabelSet, type Labels, mergeLabels, NO_LABELS } from '../../model/labels.js';
import { formatGeneral } from '../../model/number.js';
import { bitsOf } from '../../model/stored-histogram.js';
import type { BlockImport } from './import.js';

/** What is wrong with a text, and where: the first line is 1. */
export class ImportFault extends Error {
  override readonly name = 'ImportFault';
  constructor(
    readonly line: number,
    readonly reason: string,
    /** What is counted. */
    what: 'line' | 'series' = 'line',
  ) {
    super(`${what} ${line}: ${reason}`);
  }
}

export interface TextOptions {
  /** Every series gets them, in place of its own. */
  readonly labels?: Labels;
  /** Only older samples are taken; all where absent. Milliseconds. */
  readonly endMs?: number;
}

/** The year 10,000 is nearer. */
const TIME_MS_MAX = 2 ** 48;

/** Go's NaN that is no stale marker: any other NaN of a text becomes this. */
const NORMAL_NAN = 0x7ff8000000000001n;

export class OpenMetricsImport {
  readonly #target: BlockImport;
  readonly #options: TextOptions;
  readonly #parser = new OpenMetricsParser();
  readonly #lines = new Lines((line, isWhole) => this.#take(line, isWhole));
  /** Series as they stand in lines of the type at hand: numbers in the target. Since the last spill. */
  #known = new Map<string, number>();
  #line = 0;

  constructor(target: BlockImport, options: TextOptions = {}) {
    this.#target = target;
    this.#options = options;
  }

  /** Borrows. Throws ImportFault, DiskError. */
  push(bytes: Uint8Array): void {
    this.#withPlace(() => this.#lines.push(bytes));
  }

  /** There are no more bytes. Throws likewise. */
  end(): void {
    this.#withPlace(() => {
      this.#lines.end();
      this.#line++;
      this.#parser.end();
    });
  }

  #take(line: string, isWhole: boolean): void {
    this.#line++;
    const parser = this.#parser;
    const entry = parser.parse(line, isWhole);
    if (entry === 'type') this.#known = new Map();
    if (entry !== 'sample') return;
    const { timeMs, value } = parser;
    if (timeMs === undefined) {
      throw new OpenMetricsError(`expected timestamp for series ${formatLabelSet(parser.labels())}, got none`);
    }
    if (Math.abs(timeMs) > TIME_MS_MAX)
      throw new OpenMetricsError(`timestamp ${formatGeneral(timeMs)} is out of range`);
    if (timeMs >= (this.#options.endMs ?? Number.POSITIVE_INFINITY)) {
      throw new OpenMetricsError(
        `the timestamp ${timeMs} is not before ${this.#options.endMs}, where samples begin that are accepted by other ways`,
      );
    }
    if (this.#target.isFull) {
      this.#target.spill();
      this.#known = new Map();
    }
    this.#target.add(this.#number(), timeMs, Number.isNaN(value) ? NORMAL_NAN : bitsOf(value));
  }

  #number(): number {
    const { series } = this.#parser;
    const known = this.#known.get(series);
    if (known !== undefined) return known;
    const number = this.#target.addLabels(mergeLabels(this.#parser.labels(), this.#options.labels ?? NO_LABELS));
    this.#known.set(series, number);
    return number;
  }

  #withPlace(action: () => void): void {
    try {
      action();
    } catch (error) {
      const isOurs = error instanceof OpenMetricsError || error instanceof LineTooLong;
      throw isOurs ? new ImportFault(this.#line, error.message) : error;
    }
  }
}
