// A client for Prometheus's HTTP API that notes when bytes arrive.

import { Agent, get } from 'node:http';

const TIMEOUT_MS = 180_000;

export interface Fetched {
  readonly status: number;
  readonly body: Buffer;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

const agent = new Agent({ keepAlive: true });

/** GETs all of `url`. Where `onData` is given, it gets the bytes and `body` stays empty. */
export function fetchAll(url: string, onData?: (bytes: Buffer) => void): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const request = get(url, { agent, timeout: TIMEOUT_MS }, (response) => {
      let firstByteMs = 0;
      const parts: Buffer[] = [];
      response.on('data', (bytes: Buffer) => {
        firstByteMs ||= performance.now() - started;
        if (onData) onData(bytes);
        else parts.push(bytes);
      });
      response.on('error', reject);
      response.on('end', () => {
        const totalMs = performance.now() - started;
        resolve({ status: response.statusCode!, body: Buffer.concat(parts), firstByteMs, totalMs });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s: ${url}`)));
    request.on('error', reject);
  });
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [time: number, value: string];
  readonly values?: readonly (readonly [time: number, value: string])[];
}

/** The series of an instant query at `timeMs`, or a failure with what the server said. */
export async function query(url: string, expression: string, timeMs: number): Promise<readonly Series[]> {
  const params = new URLSearchParams({ query: expression, time: String(timeMs / 1000) });
  return seriesOf(await fetchAll(`${url}/api/v1/query?${params}`), expression);
}

export function seriesOf({ status, body }: Pick<Fetched, 'status' | 'body'>, what: string): readonly Series[] {
  if (status !== 200) throw new Error(`${what}: HTTP ${status} ${body.toString().slice(0, 300)}`);
  const answer = JSON.parse(body.toString()) as { data: { result: readonly Series[] } };
  return answer.data.result;
}

/** The one value of an instant query; 0 where nothing matches, as a sum over nothing. */
export async function scalar(url: string, expression: string, timeMs: number): Promise<number> {
  const [series] = await query(url, expression, timeMs);
  return series === undefined ? 0 : Number(series.value![1]);
}
