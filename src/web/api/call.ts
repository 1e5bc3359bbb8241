// What an API handler is: a function from one call to its answer.

import { formatTime } from '../../model/time.js';
import { QueryError } from '../../promql/errors.js';
import type { Answer } from '../answer.js';
import type { WebDeps } from '../deps.js';
import { JsonWriter } from '../json.js';
import type { Params } from '../params.js';
import type { Route } from '../router.js';

export interface ApiCall {
  readonly deps: WebDeps;
  readonly answer: Answer;
  readonly params: Params;
  /** The path's own parameters, decoded. */
  readonly path: ReadonlyMap<string, string>;
}

/** Throws or rejects with what went wrong; the caller makes the error answer of it. */
export type ApiHandler = (call: ApiCall) => Promise<void>;

export interface ApiRoute extends Route<ApiHandler> {
  /** Whether it changes something, so that no page of somebody else may call it. */
  readonly changes?: boolean;
}

export const GET = ['GET'] as const;
export const GET_POST = ['GET', 'POST'] as const;

export interface Remarks {
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

/** The envelope of a success around data that is JSON already. */
export function sendData(call: ApiCall, dataJson: string, remarks: Remarks = {}): Promise<void> {
  return streamData(call, async (writer) => {
    writer.add(dataJson);
    return remarks;
  });
}

/** The same around data that `write` writes in pieces. Told when all of it has left: nobody looks at the pieces any more. */
export async function streamData(
  call: ApiCall,
  write: (writer: JsonWriter) => Promise<Remarks>,
  sent?: () => void,
): Promise<void> {
  const writer = new JsonWriter(call.answer);
  try {
    writer.add('{"status":"success","data":');
    const { warnings = [], infos = [] } = await write(writer);
    if (warnings.length > 0) writer.add(`,"warnings":${JSON.stringify(shortened(warnings, 'warning'))}`);
    if (infos.length > 0) writer.add(`,"infos":${JSON.stringify(shortened(infos, 'info'))}`);
    writer.add('}');
    await writer.end();
    sent?.();
  } catch (error) {
    // Half an answer cannot become an error any more: the client has to see that it is cut.
    if (!writer.begun) throw error;
    // A query that ended at its deadline, or with its client, is no fault of ours.
    const level = error instanceof QueryError || writer.isCut ? 'debug' : 'error';
    call.deps.log[level]('answer cut short', { err: error instanceof Error ? error : String(error) });
    writer.fail();
  }
}

/** Most remarks of one kind in an answer: Prometheus's. */
const REMARKS_MAX = 10;

/** A remark may be there for each of thousands of metrics; nobody reads them all. */
function shortened(remarks: readonly string[], kind: 'warning' | 'info'): readonly string[] {
  const left = remarks.length - REMARKS_MAX;
  return left <= 0 ? remarks : [...remarks.slice(0, REMARKS_MAX), `${left} more ${kind} annotations omitted`];
}

/** `{"a":1}` of names and values that are JSON already. */
export function objectJson(fields: readonly (readonly [name: string, valueJson: string])[]): string {
  return `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
}

export function listJson(items: Iterable<string>): string {
  return `[${[...items].join(',')}]`;
}

/** `2026-11-21T08:21:44.324Z`, without zeros at the end, as Go prints a time. */
export function timeJson(timeMs: number): string {
  return JSON.stringify(formatTime(timeMs).replace(/\.?0*Z$/, 'Z'));
}
