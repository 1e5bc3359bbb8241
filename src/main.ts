#!/usr/bin/env node
// The process: flags, signals, exit codes. 0 is a good end, 1 a failure, 2 a bad configuration.

import { setFlagsFromString } from 'node:v8';
import { realClock } from './base/clock.js';
import { readFileSync, realDisk, writeOut } from './base/disk.js';
import { GarbageAtRest, ownHeap } from './base/garbage.js';
import { type Invocation, parseFlags } from './cli/flags.js';
import type { ToolWorld } from './cli/tool/command.js';
import { Output } from './cli/tool/output.js';
import { barOf, painted } from './cli/tool/paint.js';
import { isTool, runTool } from './cli/tool/run.js';
import { ConfigError } from './config/error.js';
import { discoveryTools } from './server/discovery.js';
import { withWholeDirectory } from './server/sandbox.js';
import { Server } from './server/server.js';
import { createLogger, type LogFormat, type Logger, type LogLevel } from './telemetry/log.js';
import { Registry } from './telemetry/metrics.js';

// Kernels are compiled by the optimising compiler at once, in every thread: the first scrapes would
// otherwise run at a fifth of the speed.
setFlagsFromString('--no-liftoff');
setFlagsFromString('--no-wasm-lazy-compilation');
// So is the JavaScript of a request after a thousand of them, instead of two: half of V8's own measure.
setFlagsFromString('--interrupt-budget=33792');
// Main's heap is small, and requests pass through it: marked at each few megabytes more, a tenth of the time would be that.
setFlagsFromString('--heap-growing-percent=200');

// A library or a browser could otherwise be led to write to what all objects share.
Object.freeze(Object.prototype);

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const line = process.argv.slice(2);
if (isTool(line)) await useTool(line);
else await serve(line);

/** Commands of the tool: `narthex tsdb list data/`. */
async function useTool(line: readonly string[]): Promise<void> {
  const hasColours = (process.env.NO_COLOR ?? '') === '';
  const shown = (text: string, isTerminal: boolean) => (isTerminal && hasColours ? painted(text) : text);
  const out = new Output((text) => writeOut(shown(text, process.stdout.isTTY)));
  const world: ToolWorld = {
    ...{ version, disk: realDisk, clock: realClock, out },
    readInput: () => readFileSync(0),
    isWatched: process.stderr.isTTY,
    discoveryTools: () => discoveryTools({ disk: realDisk, clock: realClock, version }, new Registry()),
    withWholeDirectory: (request, action) => withWholeDirectory(realDisk, realClock, request, action),
    progress: (share) => {
      if (process.stderr.isTTY) process.stderr.write(barOf(share));
    },
    warn: (text) => {
      out.flush();
      process.stderr.write(shown(`${text}\n`, process.stderr.isTTY));
    },
  };
  process.exitCode = await runTool(world, line);
}

async function serve(line: readonly string[]): Promise<void> {
  const invocation = parseFlags(line, version);
  if (invocation.kind === 'print') {
    process.stdout.write(invocation.text);
  } else if (invocation.kind === 'refuse') {
    process.stderr.write(invocation.text);
    process.exitCode = 1;
  } else {
    const { flags, ignored } = invocation;
    const log = createLogger({ level: flags.logLevel as LogLevel, format: flags.logFormat as LogFormat });
    if (ignored.length > 0) log.info('Flags without effect here', { flags: ignored.join(' ') });
    await run(flags, log);
  }
}

async function run(flags: Extract<Invocation, { kind: 'run' }>['flags'], log: Logger): Promise<void> {
  log.info('Starting Narthex', { version, node: process.version, pid: process.pid });
  let server: Server | undefined;
  let ending = false;
  const end = async (why: string, code = 0) => {
    if (ending) return;
    ending = true;
    log.info('Stopping', { reason: why });
    try {
      await server?.stop();
      log.info('See you next time!');
    } catch (error) {
      log.error('Stopping failed', { err: error as Error });
      code = 1;
    }
    process.exit(code);
  };
  process.on('SIGTERM', () => void end('SIGTERM'));
  process.on('SIGINT', () => void end('SIGINT'));
  process.on('SIGHUP', () => {
    try {
      server?.reload();
    } catch {
      // Said in the log; the configuration in use stays.
    }
  });
  try {
    server = Server.create({
      flags,
      version,
      disk: realDisk,
      clock: realClock,
      log,
      quit: () => void end('request to /-/quit'),
      fail: (reason) => void end(reason.message, 1),
    });
    await server.start();
    new GarbageAtRest(realClock, ownHeap(), () => server?.collectGarbage()).start();
  } catch (error) {
    if (error instanceof ConfigError) {
      log.error('Error loading config', { file: flags.configFile, err: error });
      process.exit(2);
    }
    log.error('Starting failed', { err: error as Error });
    process.exit(1);
  }
}
