// process_* as every client library has them, from /proc, and a few numbers of Node's.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cpuUsage, memoryUsage, version } from 'node:process';
import { type Clock, realClock } from '../base/clock.js';
import { type Disk, realDisk } from '../base/disk.js';
import type { CollectOptions, Registry } from './metrics.js';

/** Linux counts CPU time for user space in hundredths of a second, whatever the kernel does. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
/** All metrics of one page see the same reading of /proc. */
const FRESH_MS = 5;

/** What we take from `/proc/self/stat`. */
export interface ProcStat {
  /** User and system, all threads. */
  readonly cpuSeconds: number;
  /** Since the machine started. */
  readonly startSeconds: number;
  readonly virtualBytes: number;
  readonly residentBytes: number;
}

type Row = readonly [name: string, type: CollectOptions['type'], help: string, read: () => number];

/** Registers process_* and nodejs_*. Where there is no /proc, only what Node itself knows. */
export function registerProcess(registry: Registry, disk: Disk = realDisk, clock: Clock = realClock): void {
  const rows = disk.stat('/proc/self/stat') === undefined ? portableRows(clock) : procRows(disk, clock);
  for (const [name, type, help, read] of [...rows, ...nodeRows()]) registry.collect(name, help, { type }, read);
  registry.collect('nodejs_version_info', 'Node.js version.', { type: 'gauge', labels: ['version'] }, () => [
    [[version], 1],
  ]);
}

const CPU = ['process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.'] as const;
const RESIDENT = ['process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.'] as const;
const START = [
  'process_start_time_seconds',
  'gauge',
  'Start time of the process since unix epoch in seconds.',
] as const;

function procRows(disk: Disk, clock: Clock): Row[] {
  const read = (name: string): string => new TextDecoder().decode(disk.readFile(`/proc/${name}`));
  const bootSeconds = Number(/^btime (\d+)$/m.exec(read('stat'))?.[1] ?? Number.NaN);
  let latest = parseProcStat(read('self/stat'));
  let latestAtMs = clock.monotonicMs();
  const stat = (): ProcStat => {
    if (clock.monotonicMs() - latestAtMs > FRESH_MS) {
      latest = parseProcStat(read('self/stat'));
      latestAtMs = clock.monotonicMs();
    }
    return latest;
  };
  const limit = (name: string): number => parseLimit(read('self/limits'), name);
  return [
    [...CPU, () => stat().cpuSeconds],
    [...RESIDENT, () => stat().residentBytes],
    [...START, () => bootSeconds + stat().startSeconds],
    ['process_virtual_memory_bytes', 'gauge', 'Virtual memory size in bytes.', () => stat().virtualBytes],
    [
      'process_virtual_memory_max_bytes',
      'gauge',
      'Maximum amount of virtual memory available in bytes.',
      () => limit('Max address space'),
    ],
    ['process_open_fds', 'gauge', 'Number of open file descriptors.', () => disk.list('/proc/self/fd').length],
    ['process_max_fds', 'gauge', 'Maximum number of open file descriptors.', () => limit('Max open files')],
  ];
}

function portableRows(clock: Clock): Row[] {
  const startSeconds = (clock.nowMs() - clock.monotonicMs()) / 1000;
  return [
    [...CPU, () => (cpuUsage().user + cpuUsage().system) / 1e6],
    [...RESIDENT, () => memoryUsage.rss()],
    [...START, () => startSeconds],
  ];
}

function nodeRows(): Row[] {
  const lag = monitorEventLoopDelay({ resolution: 10 });
  lag.enable();
  const lagSeconds = (): number => {
    const seconds = lag.percentile(99) / 1e9;
    lag.reset();
    return seconds;
  };
  return [
    [
      'nodejs_heap_size_used_bytes',
      'gauge',
      'JavaScript heap of the main thread in use, in bytes.',
      () => memoryUsage().heapUsed,
    ],
    [
      'nodejs_external_memory_bytes',
      'gauge',
      'Memory of buffers outside the heap, in bytes.',
      () => memoryUsage().external,
    ],
    [
      'nodejs_eventloop_lag_p99_seconds',
      'gauge',
      'Turn of the event loop since the last page, 99th percentile.',
      lagSeconds,
    ],
  ];
}

/** `/proc/self/stat`: the name in parentheses may hold anything, so fields count from behind it. */
export function parseProcStat(text: string): ProcStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // proc(5) numbers fields from 1; the first behind the name is field 3.
  const field = (number: number): number => Number(fields[number - 3]);
  return {
    cpuSeconds: (field(14) + field(15)) / TICKS_PER_SECOND,
    startSeconds: field(22) / TICKS_PER_SECOND,
    virtualBytes: field(23),
    residentBytes: field(24) * PAGE_BYTES,
  };
}

/** A soft limit in `/proc/self/limits`; "unlimited" is 2^64, as other exporters show it. */
export function parseLimit(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(name)) ?? '';
  const soft = line.slice(name.length).trim().split(/\s+/)[0];
  return soft === 'unlimited' ? 2 ** 64 : Number(soft || Number.NaN);
}
