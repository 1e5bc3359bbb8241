// The page of a scrape target, in text 0.0.4 or OpenMetrics 1.0.0: the texts that never change, and between them the
// values that do.

import { exporterFamilies, type Family, type SeriesSpec } from './families.js';
import type { Fleet } from './fleet.js';

/** A page of a target in some format. */
export interface TargetPage {
  readonly contentType: string;
  /** The page at `step`: lent until the next call. */
  at(step: number): Buffer;
}

/** Room for the text of one number. */
const NUMBER_BYTES = 25;

export class Page implements TargetPage {
  readonly contentType: string;
  /** `#runs[i]` goes before the i-th changing value; the last one goes to the end. */
  readonly #runs: readonly Buffer[];
  /** The series, by the fleet's index, of each changing value. */
  readonly #changing: readonly number[];
  readonly #fleet: Fleet;
  readonly #out: Buffer;

  constructor(fleet: Fleet, instance: number, isOpenMetrics = false) {
    this.contentType = isOpenMetrics
      ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
      : 'text/plain; version=0.0.4; charset=utf-8';
    const runs: Buffer[] = [];
    const changing: number[] = [];
    let text = '';
    let index = instance * fleet.size.perInstance;
    for (const family of exporterFamilies(fleet.size.perInstance, fleet.seed + fleet.job(instance))) {
      const name = isOpenMetrics ? openMetricsName(family) : family.name;
      text += `# HELP ${name} ${family.help}\n# TYPE ${name} ${family.type}\n`;
      for (const series of family.series) {
        text += `${seriesText(series)} `;
        if (fleet.values.changes(index)) {
          runs.push(Buffer.from(text, 'latin1'));
          changing.push(index);
          text = '';
        } else {
          text += String(fleet.values.at(index, 0));
        }
        text += '\n';
        index++;
      }
    }
    if (isOpenMetrics) text += '# EOF\n';
    runs.push(Buffer.from(text, 'latin1'));
    this.#runs = runs;
    this.#changing = changing;
    this.#fleet = fleet;
    const fixed = runs.reduce((sum, run) => sum + run.length, 0);
    this.#out = Buffer.allocUnsafeSlow(fixed + changing.length * NUMBER_BYTES);
  }

  at(step: number): Buffer {
    const out = this.#out;
    let at = 0;
    for (let i = 0; i < this.#changing.length; i++) {
      at += this.#runs[i]!.copy(out, at);
      at += out.write(String(this.#fleet.values.at(this.#changing[i]!, step)), at, 'latin1');
    }
    at += this.#runs.at(-1)!.copy(out, at);
    return out.subarray(0, at);
  }
}

export function seriesText({ name, labels }: SeriesSpec): string {
  if (labels.length === 0) return name;
  return `${name}{${labels.map(([label, value]) => `${label}="${value}"`).join(',')}}`;
}

/** A counter's samples end in _total, its family does not. */
function openMetricsName({ name, type }: Family): string {
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}
