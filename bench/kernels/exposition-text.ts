// Scrape bodies for benchmarks, from a seed: what a busy Go service might expose.

import { Prng } from '../../src/base/prng.js';

const PATHS = ['/api/v1/query', '/api/v1/write', '/api/v1/series', '/-/ready', '/metrics', '/graph', '/static/app.js'];

/** The series of a body: names and labels, about 100 bytes each. */
function seriesText(prng: Prng, index: number): string {
  const pod = `frontend-${(index * 7919).toString(16)}-${prng.int(1e6)}`;
  return `http_server_requests_total{method="GET",code="${200 + prng.int(5)}",path="${prng.pick(PATHS)}",pod="${pod}",index="${index}"}`;
}

/** A value as exporters print them: half integers, half floats. */
function valueText(prng: Prng): string {
  return prng.int(2) === 0 ? String(prng.int(1e6)) : String(Math.round(prng.float() * 1e9) / 10 ** prng.int(9));
}

/** `count` sample lines, with a HELP and a TYPE line before every fifty of them. */
export function bodyText(count: number, seed: number): string {
  const prng = new Prng(seed);
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    if (i % 50 === 0) {
      lines.push(`# HELP http_server_requests_total_${i} The number of requests, by method, code and path.`);
      lines.push(`# TYPE http_server_requests_total_${i} counter`);
    }
    lines.push(`${seriesText(prng, i)} ${valueText(prng)}`);
  }
  return `${lines.join('\n')}\n`;
}
