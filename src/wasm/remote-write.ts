// Remote writes to rows: the façade of assembly/remote.
//
// How a shard takes a request, in order:
//
//   const cache = remote.open()                     once per stream of requests; remote.age(cache) every few minutes
//
//   const body = remote.decode(compressed)          snappy, bounded; or a result that says why not
//   const scanned = remote.scan(cache, body.body, limits)
//   if (!scanned.ok) → 400 with scanned.message     nothing of it is in the rows
//   for (let i = 0; i < scanned.misses; i++) {
//     if (remote.settle(cache, i)) continue         an earlier miss of this request named the same series
//     const fault = remote.readLabels(i, limits)    into the scratch
//     if (fault !== LabelFault.None) { remote.refuse(cache, i); first ??= remote.describe(fault); continue }
//       … the head: resolve or create the series of the scratch → sid, ref, owner
//     remote.resolve(cache, i, sid, ref, owner)     or refuse(cache, i): no memory for a new series
//   }
//   exposition.rows(owner), exposition.clearRows()  the rows are in the same batches as those of scrapes
//
// A series whose labels are bad spoils only itself; the caller counts them, names the first and
// answers 400 after it stored the others. When an owner does not know some sids any more: forget(cache,
// owner, sids), clearRows(), and scan the same body again, taking only what was not stored.

import { BODY_SLACK, LabelFault, Status, WireFault } from '../../assembly/layout.js';
import { CoreBuffer } from './buffer.js';
import type { Core } from './core.js';
import type { Body, Exposition, LineCache } from './exposition.js';
import type { LabelLimits } from './label-scratch.js';
import { WIRE_WORDS } from './wire-fault.js';

/** Most bytes of a request, before and after decoding; most series and samples in one; limits of a label set. */
export interface WriteLimits extends LabelLimits {
  readonly compressedBytesMax: number;
  readonly decodedBytesMax: number;
  readonly seriesMax: number;
  readonly samplesMax: number;
}

export const DEFAULT_WRITE_LIMITS: WriteLimits = {
  compressedBytesMax: 16 << 20,
  decodedBytesMax: 32 << 20,
  seriesMax: 100_000,
  samplesMax: 1_000_000,
  labelsMax: 100,
  nameBytesMax: 1 << 10,
  valueBytesMax: 16 << 10,
};

/** What readLabels() gives for a label set that is fine. */
export const NO_FAULT = LabelFault.None;

export interface Refused {
  readonly ok: false;
  /** Why, for the client. */
  readonly message: string;
  /** The core has no memory for it now: not the client's fault. */
  readonly noMemory: boolean;
}

export type Decoded = { readonly ok: true; readonly body: Body } | Refused;

export type Scanned =
  | {
      readonly ok: true;
      readonly series: number;
      readonly samples: number;
      /** Counted, not taken. */
      readonly exemplars: number;
      readonly histograms: number;
      readonly metadata: number;
      readonly misses: number;
    }
  | Refused;

export class RemoteWrite {
  readonly #core: Core;
  readonly #exposition: Exposition;
  readonly #compressed: CoreBuffer;
  readonly #decoded: CoreBuffer;
  #body: Body = { address: 0, length: 0 };

  constructor(core: Core, exposition: Exposition) {
    this.#core = core;
    this.#exposition = exposition;
    this.#compressed = new CoreBuffer(core);
    this.#decoded = new CoreBuffer(core);
  }

  open(): LineCache {
    return this.#exposition.open();
  }

  close(cache: LineCache): void {
    this.#exposition.close(cache);
  }

  /** Starts an epoch: what was not seen in the two epochs before is dropped. */
  age(cache: LineCache): void {
    this.#core.exports.remote_age(cache);
  }

  /** Decodes a snappy block. Copies. The body is good until the next decode(). */
  decode(compressed: Uint8Array, limits: WriteLimits): Decoded {
    if (compressed.length > limits.compressedBytesMax) {
      return refused(`request of ${compressed.length} bytes, the limit is ${limits.compressedBytesMax}`);
    }
    if (!this.#compressed.reserve(compressed.length + BODY_SLACK, 0)) return NO_MEMORY;
    this.#core.bytes.set(compressed, this.#compressed.address);
    return this.decodeAt(this.#compressed.address, compressed.length, limits);
  }

  /** The same for a block that lies in linear memory, with BODY_SLACK readable bytes behind it. */
  decodeAt(address: number, length: number, limits: WriteLimits): Decoded {
    const { exports } = this.#core;
    const declared = exports.snappy_length(address, length);
    if (declared < 0) return refused('snappy: corrupt input: no length');
    if (declared > limits.decodedBytesMax) {
      return refused(`snappy: decoded length ${declared} exceeds the limit of ${limits.decodedBytesMax}`);
    }
    if (!this.#decoded.reserve(declared + BODY_SLACK, 0)) return NO_MEMORY;
    if (!exports.snappy_decode(address, length, this.#decoded.address)) {
      return refused(`snappy: corrupt input at byte ${(exports.snappy_error_at() >>> 0) - address}`);
    }
    return { ok: true, body: { address: this.#decoded.address, length: declared } };
  }

  scan(cache: LineCache, body: Body, limits: WriteLimits, marksStarts = false): Scanned {
    const { exports } = this.#core;
    this.#body = body;
    const { seriesMax, samplesMax } = limits;
    const status: Status = exports.remote_scan(cache, body.address, body.length, seriesMax, samplesMax, marksStarts);
    if (status === Status.NoMemory) return NO_MEMORY;
    if (status !== Status.Ok) return this.#fault(limits);
    return {
      ok: true,
      series: exports.remote_series() >>> 0,
      samples: exports.remote_samples() >>> 0,
      exemplars: exports.remote_exemplars() >>> 0,
      histograms: exports.remote_histograms() >>> 0,
      metadata: exports.remote_metadata() >>> 0,
      misses: this.#exposition.missCount,
    };
  }

  /** Gives a miss the series that an earlier miss of the same request got; false: it has none yet. */
  settle(cache: LineCache, miss: number): boolean {
    return Boolean(this.#core.exports.cache_settle(cache, miss));
  }

  /** Puts the labels of a miss into the scratch, sorted and checked. */
  readLabels(miss: number, limits: LabelLimits): LabelFault {
    const { labelsMax, nameBytesMax, valueBytesMax } = limits;
    return this.#core.exports.remote_labels(miss, this.#body.address, labelsMax, nameBytesMax, valueBytesMax);
  }

  /** Names what readLabels() just found wrong, and with which series. */
  describe(fault: LabelFault): string {
    const { scratch } = this.#exposition;
    const reason = scratch.describe(fault);
    if (fault !== LabelFault.NoName && fault !== LabelFault.Duplicate) return cut(reason);
    return cut(`${reason}: ${scratch.quoted()}`);
  }

  resolve(cache: LineCache, miss: number, sid: number, ref: number, owner: number): void {
    this.#exposition.resolve(cache, miss, sid, ref, owner);
  }

  /** The samples of a miss are not taken; the next request asks again. */
  refuse(cache: LineCache, miss: number): void {
    this.#exposition.refuse(cache, miss);
  }

  forget(cache: LineCache, owner: number, sids: Uint32Array): void {
    this.#exposition.forget(cache, owner, sids);
  }

  /** Takes the request scanned last back: rows, misses and what the cache learnt. */
  takeBack(cache: LineCache): void {
    this.#core.exports.remote_take_back(cache);
  }

  #fault(limits: WriteLimits): Refused {
    const { exports } = this.#core;
    const fault: WireFault = exports.remote_fault();
    const offset = (exports.remote_error_at() >>> 0) - this.#body.address;
    switch (fault) {
      case WireFault.TooManySeries:
        return refused(`more than ${limits.seriesMax} series in one request`);
      case WireFault.TooManySamples:
        return refused(`more than ${limits.samplesMax} samples in one request`);
      default:
        return refused(`proto: malformed prometheus.WriteRequest: ${WIRE_WORDS[fault]} at byte ${offset}`);
    }
  }
}

/** No reason given to a client is longer than this. */
const REASON_MAX = 500;

function cut(text: string): string {
  return text.length <= REASON_MAX ? text : `${text.slice(0, REASON_MAX)}…`;
}

const NO_MEMORY: Refused = { ok: false, message: 'no memory for a remote write', noMemory: true };

function refused(message: string): Refused {
  return { ok: false, message, noMemory: false };
}
