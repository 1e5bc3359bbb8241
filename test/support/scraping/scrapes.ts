// Whether a server has, of targets that count their pages, every page once and at the right time.

import { raw } from '../servers.js';

export interface Scraped {
  /** Scrapes of all targets together. */
  readonly scrapes: number;
  /** What is wrong, a line each: a page that is missing or there twice, a scrape that failed. */
  readonly faults: readonly string[];
}

/** Looks at all that a job has scraped in the last `seconds`; each target exposes `page`, and has a label `tid`. */
export async function checkScrapes(url: string, job: string, seconds: number): Promise<Scraped> {
  const faults: string[] = [];
  let scrapes = 0;
  for (const { metric, values } of await raw(url, `page{job="${job}"}[${seconds}s]`)) {
    scrapes += values.length;
    for (let i = 1; i < values.length; i++) {
      const [before, now] = [Number(values[i - 1]![1]), Number(values[i]![1])];
      if (now !== before + 1) faults.push(`target ${metric.tid}: page ${now} follows ${before}`);
    }
  }
  for (const { metric, values } of await raw(url, `up{job="${job}"}[${seconds}s]`)) {
    for (const [time, value] of values) if (value !== '1') faults.push(`target ${metric.tid}: down at ${time}`);
  }
  return { scrapes, faults };
}

/** Targets that were not asked once each interval between their first ask and their last. `asked`: milliseconds, by target. */
export function unevenAsks(asked: readonly (readonly number[])[], intervalMs: number): string[] {
  return asked.flatMap((times, target) => {
    const intervals = Math.round((times.at(-1)! - times[0]!) / intervalMs);
    const asks = times.length - 1;
    return asks === intervals ? [] : [`target ${target}: asked ${asks} times in ${intervals} intervals`];
  });
}
