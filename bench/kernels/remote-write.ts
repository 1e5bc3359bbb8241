// Write requests to rows, and snappy blocks to bytes. `node dist/bench/kernels/remote-write.js [filter]`

import { pathToFileURL } from 'node:url';
import snappyjs from 'snappyjs';
import { BODY_SLACK } from '../../assembly/layout.js';
import { Prng } from '../../src/base/prng.js';
import { Core } from '../../src/wasm/core.js';
import { type Body, Exposition } from '../../src/wasm/exposition.js';
import { DEFAULT_WRITE_LIMITS, RemoteWrite } from '../../src/wasm/remote-write.js';
import { encodeWriteRequest, type WriteSeries } from '../../test/support/write-request.js';
import { type Micro, printAll } from './micro.js';

const SERIES = 2000;
const LIMITS = DEFAULT_WRITE_LIMITS;
const cell = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  cell.setFloat64(0, value);
  return cell.getBigUint64(0);
}

/** A request of 2,000 series with eight labels and `samples` samples each. */
function request(samples: number, seed: number): Uint8Array {
  const prng = new Prng(seed);
  const series = Array.from({ length: SERIES }, (_, i): WriteSeries => {
    const labels = { code: String(200 + prng.int(5)), handler: '/api/v1/query', instance: `10.0.${seed}.17:9090` };
    const rest = { job: 'frontend', method: 'GET', pod: `frontend-${i}-${prng.int(1e6)}`, zone: 'eu-central-1a' };
    return {
      labels: Object.entries({ __name__: 'http_server_requests_total', ...labels, ...rest }).flat(),
      samples: Array.from({ length: samples }, (_, t) => ({
        timeMs: BigInt(1_700_000_000_000 + t * 15_000),
        bits: bitsOf(prng.int(1e6)),
      })),
    };
  });
  return encodeWriteRequest(series);
}

function place(core: Core, bytes: Uint8Array): Body {
  const address = core.exports.heap_alloc(bytes.length + BODY_SLACK) >>> 0;
  core.bytes.set(bytes, address);
  return { address, length: bytes.length };
}

/** All series known and in turn. */
function scan(samples: number, unit: 'series' | 'sample'): Micro {
  return {
    name: `write request, known series of ${samples} samples`,
    unit,
    prepare: () => {
      const core = new Core();
      const exposition = new Exposition(core);
      const remote = new RemoteWrite(core, exposition);
      const cache = remote.open();
      const bodies = [1, 2, 3, 4].map((seed) => place(core, request(samples, seed)));
      for (const body of bodies) {
        const scanned = remote.scan(cache, body, LIMITS);
        if (!scanned.ok) throw new Error(scanned.message);
        for (let miss = 0; miss < scanned.misses; miss++) remote.resolve(cache, miss, miss, miss, 0);
        exposition.clearRows();
      }
      return () => {
        for (const body of bodies) {
          remote.scan(cache, body, LIMITS);
          exposition.clearRows();
        }
        return bodies.length * SERIES * (unit === 'sample' ? samples : 1);
      };
    },
  };
}

/** All series new: labels read, nothing done with them. */
function learn(): Micro {
  return {
    name: 'write request, new series, labels read',
    unit: 'series',
    prepare: () => {
      const core = new Core();
      const exposition = new Exposition(core);
      const remote = new RemoteWrite(core, exposition);
      const body = place(core, request(1, 1));
      return () => {
        const cache = remote.open();
        remote.scan(cache, body, LIMITS);
        for (let miss = 0; miss < SERIES; miss++) remote.readLabels(miss, LIMITS);
        exposition.clearRows();
        remote.close(cache);
        return SERIES;
      };
    },
  };
}

function snappy(): Micro {
  return {
    name: 'snappy decode, a write request',
    unit: 'series',
    prepare: () => {
      const core = new Core();
      const remote = new RemoteWrite(core, new Exposition(core));
      const compressed = snappyjs.compress(request(1, 1));
      const body = place(core, compressed);
      return () => {
        if (!remote.decodeAt(body.address, body.length, LIMITS).ok) throw new Error('it does not decode');
        return SERIES;
      };
    },
  };
}

export const remoteWriteMicros: readonly Micro[] = [scan(1, 'series'), scan(20, 'sample'), learn(), snappy()];

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  printAll(remoteWriteMicros);
}
