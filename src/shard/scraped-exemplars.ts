// Exemplars of a target's bodies, found again by the text of their series: what a body says again costs one look at a map.
//
//   series text ──► labels as storage has them            made once: labels of the line, the target's, metric relabelling
//               └─► text of its last exemplar             the same again is passed over

import { type Exemplar, exemplarLabels } from '../model/exemplar.js';
import type { Labels } from '../model/labels.js';
import { parseFloatText } from '../model/number.js';
import type { BodyFormat, ExemplarLine } from '../wasm/exposition.js';
import type { ScrapedExtra } from './scraped-histograms.js';

/** A series that has, or had, an exemplar. */
interface Known {
  readonly labels: Labels;
  /** What it said last. */
  last: string;
}

interface FreshOptions {
  readonly timeMs: number;
  readonly honorTimestamps: boolean;
  readonly format: BodyFormat;
}

/** Series that no body names any more are forgotten once there are more of them than of the others. */
const SPARE_MIN = 256;

export class ScrapedExemplars {
  /** undefined: metric relabelling drops the series. */
  #known = new Map<string, Known | undefined>();

  /**
   * Those of a body that are not what its series said last; `labelsOf` is asked once for a series. One without a time has
   * that of its sample: the scrape's, or the sample's own where `honorTimestamps`.
   */
  *fresh(
    lines: Iterable<ExemplarLine>,
    { timeMs, honorTimestamps, format }: FreshOptions,
    labelsOf: (line: ExemplarLine) => Labels | undefined,
  ): Generator<ScrapedExtra> {
    let count = 0;
    for (const line of lines) {
      count++;
      const known = this.#series(line, labelsOf);
      if (known === undefined || known.last === line.exemplar) continue;
      known.last = line.exemplar;
      const [, , own] = line.sample.split(' ');
      const sampleMs = honorTimestamps && own !== '#' ? millisecondsOf(own!) : timeMs;
      const exemplar = exemplarOf(line.exemplar, sampleMs, format === 'protobuf');
      yield { labels: known.labels, stored: [], exemplars: [exemplar] };
    }
    if (this.#known.size > 2 * count + SPARE_MIN) this.#known = new Map();
  }

  #series(line: ExemplarLine, labelsOf: (line: ExemplarLine) => Labels | undefined): Known | undefined {
    const known = this.#known.get(line.series);
    if (known !== undefined || this.#known.has(line.series)) return known;
    const labels = labelsOf(line);
    const made = labels === undefined ? undefined : { labels, last: '' };
    this.#known.set(line.series, made);
    return made;
  }
}

const LABEL = /(?:"((?:\\.|[^"\\])*)"|([a-zA-Z_]\w*))="((?:\\.|[^"\\])*)"/g;

/** `{trace="x"} 0.67 1767232620.5`, found to be one. What OpenMetrics has escaped in labels stays so, as in Prometheus. */
function exemplarOf(line: string, sampleMs: number, unescapes: boolean): Exemplar {
  const text = Buffer.from(line, 'latin1').toString('utf8');
  const brace = text.lastIndexOf('}');
  const [value = '', seconds] = text.slice(brace + 2).split(' ');
  return {
    labels: exemplarLabels(
      Array.from(
        text.slice(0, brace).matchAll(LABEL),
        ([, quoted, name, of]) =>
          [quoted ?? name!, of!].map((part) => (unescapes ? unescape(part) : part)) as [string, string],
      ),
    ),
    value: numberOf(value),
    timeMs: seconds === undefined ? sampleMs : millisecondsOf(seconds),
  };
}

/** The same of a native histogram, which has to have a time. */
export function timedExemplarOf(line: string): Exemplar | undefined {
  const [, seconds] = line.slice(line.lastIndexOf('}') + 2).split(' ');
  return seconds === undefined ? undefined : exemplarOf(line, 0, false);
}

function unescape(text: string): string {
  return text.replace(/\\([\\"n])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

function millisecondsOf(seconds: string): number {
  return Math.trunc(numberOf(seconds) * 1000);
}

function numberOf(text: string): number {
  const value = parseFloatText(text);
  return typeof value === 'number' ? value : Number.NaN;
}
