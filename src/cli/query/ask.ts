// What the commands of `narthex query` share: flags, times, and how errors are told.

import { HttpError } from '../../base/http.js';
import { parseTime } from '../../web/api/time.js';
import { textFlag } from '../flag.js';
import { SaidFailure, type ToolWorld } from '../tool/command.js';
import { enumFlag, pairsFlag } from '../tool/flags.js';
import { httpConfigFile, type ServerOptions } from '../tool/server.js';
import { Api, ApiError } from './api.js';

/** Flags of all of them. */
export const queryFlags = {
  format: enumFlag('format', ['promql', 'json'], 'promql', 'Form in which results are printed.', { short: 'o' }),
  httpConfigFile,
};

export const header = pairsFlag('header', [], 'Header to send, as name=value. Can be repeated.');

/** A time as text: RFC 3339 or seconds since 1970. */
export function timeFlag(name: string, help: string) {
  return textFlag(name, '', `${help} RFC 3339 or seconds since 1970.`, { placeholder: '<time>' });
}

/** Milliseconds; `fallbackMs` where nothing is given. Says what is wrong with a time, and throws SaidFailure. */
export function timeOf(world: ToolWorld, text: string, which: string, fallbackMs: number): number {
  if (text === '') return fallbackMs;
  try {
    return parseTime(text);
  } catch (error) {
    world.warn(`error parsing ${which} time: ${(error as Error).message}`);
    throw new SaidFailure('a time is none');
  }
}

const ALWAYS_MS = 9999 * 3_600_000;

/** Both ends; far in the past and in the future where they are not given. Throws SaidFailure. */
export function timesOf(world: ToolWorld, start: string, end: string): { startMs: number; endMs: number } {
  const nowMs = world.clock.nowMs();
  const startMs = timeOf(world, start, 'start', nowMs - ALWAYS_MS);
  return { startMs, endMs: timeOf(world, end, 'end', nowMs + ALWAYS_MS) };
}

/** Seconds, as parameters have them. */
export function secondsText(timeMs: number): string {
  return String(timeMs / 1000);
}

/** Asks a server. Says what is wrong, and throws SaidFailure. */
export async function asking<T>(
  world: ToolWorld,
  address: string,
  options: ServerOptions,
  ask: (api: Api) => Promise<T>,
): Promise<T> {
  const api = new Api(world, address, options);
  try {
    return await ask(api);
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof HttpError)) throw error;
    const detail = error instanceof ApiError ? error.detail.trim() : '';
    world.warn(`query error: ${error.message}${detail === '' ? '' : ` (detail: ${detail})`}`);
    throw new SaidFailure('the query failed');
  } finally {
    api.close();
  }
}
