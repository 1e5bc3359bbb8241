// What a server costs: processor seconds and memory, of a process by /proc, or of a server by its own metrics.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Memory {
  readonly rssBytes: number;
  /** The most since the start or since resetPeak(); the same as rssBytes where nothing tells. */
  readonly peakBytes: number;
}

export interface Meter {
  /** User and system time of all threads, dead ones too, since the start. */
  cpuSeconds(): Promise<number>;
  /** That of the threads that live, to the microsecond; undefined where nothing tells. */
  threadSeconds(): number | undefined;
  memory(): Promise<Memory>;
  /** From now on the peak counts anew; whether the system allows that. */
  resetPeak(): boolean;
}

/** Ticks of the times in /proc: the kernel's USER_HZ, 100 on every Linux this runs on. */
const TICKS_PER_SECOND = 100;

export function processMeter(pid: number): Meter {
  return {
    cpuSeconds: async () => {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // Fields are counted behind the name, which may hold blanks; utime is the 14th of all, stime the 15th.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    threadSeconds: () => {
      const threads = readdirSync(`/proc/${pid}/task`);
      return threads.reduce((sum, thread) => sum + threadNanoseconds(pid, thread), 0) / 1e9;
    },
    memory: async () => {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * 1024;
      return { rssBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
    },
    resetPeak: () => {
      try {
        writeFileSync(`/proc/${pid}/clear_refs`, '5');
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** 0 for a thread that ended just now. */
function threadNanoseconds(pid: number, thread: string): number {
  try {
    return Number.parseInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1'), 10);
  } catch {
    return 0;
  }
}

/** Of a server somewhere: what its /metrics says, in the names every client library has. */
export function metricsMeter(url: string): Meter {
  const read = async (name: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1] ?? Number.NaN);
  };
  return {
    cpuSeconds: () => read('process_cpu_seconds_total'),
    threadSeconds: () => undefined,
    memory: async () => {
      const rssBytes = await read('process_resident_memory_bytes');
      return { rssBytes, peakBytes: rssBytes };
    },
    resetPeak: () => false,
  };
}

/** Sorts `values` and gives a quantile of them, without interpolation. */
export function quantile(values: number[], q: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
