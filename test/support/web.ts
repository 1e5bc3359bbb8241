// The web on fakes: everything a handler may ask for, with answers that tests choose.

import { realClock } from '../../src/base/clock.js';
import type { RenderedRows } from '../../src/promql/exec/source.js';
import { DEFAULT_PARSE_OPTIONS } from '../../src/promql/syntax/parse.js';
import { renderMetrics } from '../../src/telemetry/exposition.js';
import { noLog } from '../../src/telemetry/log.js';
import { Registry } from '../../src/telemetry/metrics.js';
import { type AppOptions, createApp } from '../../src/web/app.js';
import type { LabelQuery, QueryAnswer, WebDeps } from '../../src/web/deps.js';
import type { HttpEngine } from '../../src/web/door.js';
import { ENGINES, openTestDoor, type TestDoor } from './doors.js';

/** The time at which fakes stand still. */
export const NOW_MS = 1_435_781_451_781;

export const EMPTY_VECTOR: QueryAnswer = {
  data: {
    kind: 'vector',
    timeMs: NOW_MS,
    columns: { labels: [], steps: 1, values: new Float64Array(0), present: new Uint8Array(0) },
  },
  warnings: [],
  infos: [],
};

export type Fakes = { [K in keyof WebDeps]?: Partial<WebDeps[K]> };

/** Dependencies in which nothing is stored and nothing goes on; `fakes` replaces single methods. */
export function fakeDeps(fakes: Fakes = {}): WebDeps {
  const metrics = new Registry();
  const nothing = { values: [], warnings: [] };
  const deps: WebDeps = {
    clock: { ...realClock, nowMs: () => NOW_MS },
    log: noLog,
    metrics,
    query: {
      instant: async () => EMPTY_VECTOR,
      range: async (_text, steps) => ({
        ...EMPTY_VECTOR,
        data: {
          kind: 'range',
          steps,
          columns: { labels: [], steps: steps.count, values: new Float64Array(0), present: new Uint8Array(0) },
        },
      }),
      explain: async () => ({ plan: '', readings: [] }),
      active: () => [],
      cancel: () => false,
    },
    language: DEFAULT_PARSE_OPTIONS,
    storage: {
      labelNames: async () => nothing,
      labelValues: async () => nothing,
      series: async () => ({ rows: renderedRows([]), warnings: [] }),
      exemplars: async () => [],
      blocks: () => [],
      async *federate(): AsyncGenerator<Uint8Array> {},
      stats: async () => ({
        series: 0,
        labelPairs: 0,
        chunks: 0,
        minTimeMs: undefined,
        maxTimeMs: undefined,
        seriesByMetricName: [],
        valuesByLabelName: [],
        bytesByLabelName: [],
        seriesByLabelPair: [],
      }),
    },
    targets: {
      active: () => [],
      dropped: () => [],
      droppedCounts: () => new Map(),
      pools: () => [],
      metadata: async () => [],
      configOf: () => undefined,
      metadataByTarget: async () => [],
    },
    rules: { groups: () => [], dryRun: async () => [] },
    alertmanagers: () => ({ active: [], dropped: [] }),
    consoles: { page: async () => ({ kind: 'missing' }) },
    status: {
      build: { version: '1.2.3', revision: 'r', branch: 'b', buildUser: 'u', buildDate: 'd', goVersion: 'node20' },
      runtime: () => ({
        startTimeMs: NOW_MS - 1000,
        workingFolder: '/',
        hostname: 'h',
        reloadConfigSuccess: true,
        lastConfigTimeMs: NOW_MS - 1000,
        corruptionCount: 0,
        threads: 4,
        processors: 2,
        memoryLimitBytes: 1024,
        storageRetention: '15d',
      }),
      flags: () => new Map(),
      features: () => new Map(),
      configYaml: () => '',
      walReplay: () => ({ min: 0, max: 0, current: 0 }),
      recovery: () => ({ startMs: 0, figures: {}, losses: [], malformed: [] }),
    },
    remoteRead: async () => {},
    readiness: () => 'ready',
    metricsPage: () => renderMetrics(metrics),
    selfMetrics: async () => metrics.families(),
    notifications: { active: () => [], subscribe: () => undefined },
    searchEnabled: true,
  };
  const merged: Record<string, unknown> = { ...deps };
  for (const [key, fake] of Object.entries(fakes)) {
    const base = merged[key];
    merged[key] = typeof fake === 'object' && typeof base === 'object' ? { ...base, ...fake } : fake;
  }
  return merged as unknown as WebDeps;
}

export interface TestApp extends TestDoor {
  readonly url: string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
}

/** Opens the app on a door; the caller closes it. */
export async function openApp(
  deps: WebDeps,
  options: Partial<AppOptions> = {},
  engine: HttpEngine = ENGINES[0]!,
): Promise<TestApp> {
  const door = await openTestDoor(engine, createApp(deps, { routePrefix: '/', ...options }));
  const url = `http://127.0.0.1:${door.port}`;
  return { ...door, url, fetch: (path, init) => fetch(url + path, { redirect: 'manual', ...init }) };
}

/** Opens the app for the length of one use. */
export async function withApp(
  fakes: Fakes,
  use: (app: TestApp) => Promise<void>,
  options: Partial<AppOptions> = {},
): Promise<void> {
  const app = await openApp(fakeDeps(fakes), options);
  try {
    await use(app);
    if (app.errors.length > 0) throw app.errors[0];
  } finally {
    await app.close(0);
  }
}

/** A storage that remembers what it was asked. */
/** Rows as a storage renders them, one a piece. */
export function renderedRows(rows: readonly string[]): RenderedRows {
  return {
    rowCount: rows.length,
    pieces: (limit) =>
      rows.slice(0, limit === 0 ? undefined : limit).map((row, i) => Buffer.from(`${i > 0 ? ',' : ''}${row}`)),
  };
}

export function askedQueries(): { asked: LabelQuery[]; storage: Partial<WebDeps['storage']> } {
  const asked: LabelQuery[] = [];
  const values = ['a', 'b', 'c'];
  return {
    asked,
    storage: {
      async labelNames(query) {
        asked.push(query);
        return { values, warnings: [] };
      },
      async labelValues(name, query) {
        asked.push(query);
        return { values: [name, ...values], warnings: ['w'] };
      },
      async series(query) {
        asked.push(query);
        return { rows: renderedRows(['{"__name__":"up","job":"a"}', '{"__name__":"up","job":"b"}']), warnings: [] };
      },
    },
  };
}
