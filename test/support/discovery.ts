// Mechanisms of discovery without a server around them: a section as YAML, and what it finds.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { realClock } from '../../src/base/clock.js';
import { realDisk, watchFolder } from '../../src/base/disk.js';
import { Prng } from '../../src/base/prng.js';
import { parseConfig } from '../../src/config/config.js';
import { type DiscoveryConfig, discoveriesOf } from '../../src/config/discovery.js';
import type { SourcedGroup, TargetGroup } from '../../src/discovery/group.js';
import { loadMechanism } from '../../src/discovery/mechanisms.js';
import { DiscoveryMetrics } from '../../src/discovery/metrics.js';
import { Session, type SessionTools } from '../../src/discovery/session.js';
import { mergeLabels, pairsOf } from '../../src/model/labels.js';
import { createLogger } from '../../src/telemetry/log.js';
import { Registry } from '../../src/telemetry/metrics.js';

/** The sections of a job: `file_sd_configs: [{files: [a.yml]}]`. */
export function sectionsOf(yaml: string): DiscoveryConfig[] {
  const [job] = parseConfig(
    `scrape_configs:\n- job_name: x\n  ${yaml.trim().replaceAll('\n', '\n  ')}\n`,
  ).scrapeConfigs;
  return discoveriesOf(job!);
}

export function testTools(given: Partial<SessionTools> = {}): SessionTools {
  return {
    clock: realClock,
    disk: realDisk,
    watchFolder,
    resolver: {
      lookup: async () => {
        throw new Error('no name server in this test');
      },
    },
    prng: new Prng(1),
    metrics: new DiscoveryMetrics(new Registry()),
    userAgent: 'Narthex/test',
    ...given,
  };
}

export interface Discovering {
  readonly session: Session;
  readonly metrics: DiscoveryMetrics;
  /** What it has found, as targets with the labels of their groups, sorted by address. */
  targets(): Record<string, string>[];
  addresses(): string[];
  /** Error lines so far. */
  readonly errors: string[];
  /** Resolves when the next change, or the next failure, has come. */
  next(): Promise<void>;
  end(): Promise<void>;
}

const discovering = new Set<Discovering>();

/** Starts the mechanism of a section; a test file ends them all with endAll(). */
export function discover(yaml: string, given: Partial<SessionTools> = {}): Discovering {
  const [section] = sectionsOf(yaml);
  const tools = testTools(given);
  const errors: string[] = [];
  let changes = 0;
  let seen = 0;
  let wake = () => {};
  const log = createLogger({
    level: 'error',
    write: (line) => {
      errors.push(line);
      changes++;
      wake();
    },
  });
  const session = new Session({
    tools,
    mechanism: section!.kind,
    config: 'x',
    log,
    onAnswer: () => {
      changes++;
      wake();
    },
  });
  const running = loadMechanism(section!.kind)
    .then((mechanism) => mechanism(section!.section as never, session))
    .catch((error) => session.failed(error));
  const started: Discovering = {
    session,
    metrics: tools.metrics,
    errors,
    targets: () => targetsOf(session.groups),
    addresses: () => targetsOf(session.groups).map((target) => target.__address__ ?? ''),
    next: () =>
      new Promise((resolve) => {
        const check = () => {
          if (changes === seen) return;
          seen++;
          wake = () => {};
          resolve();
        };
        wake = check;
        check();
      }),
    end: async () => {
      discovering.delete(started);
      session.end();
      await running;
    },
  };
  discovering.add(started);
  return started;
}

export async function endAll(): Promise<void> {
  await Promise.all([...discovering].map((started) => started.end()));
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}

/** Targets with the labels of their groups. */
export function targetsOf(groups: readonly (TargetGroup | SourcedGroup)[]): Record<string, string>[] {
  const targets = groups.flatMap(({ targets, labels }) =>
    targets.map((target) => Object.fromEntries(pairsOf(mergeLabels(labels, target)))),
  );
  return targets.sort((a, b) => (a.__address__! < b.__address__! ? -1 : 1));
}

const servers: Server[] = [];

export interface TestServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  /** Method and URL of each request so far. */
  readonly requests: string[];
}

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** An HTTP server that answers as `handle` says. */
export async function serve(handle: Handler): Promise<TestServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => handle(request, response, Buffer.concat(pieces).toString()));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, requests };
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
