// One instance of the WASM core: its exports and its linear memory.
// A shard owns exactly one; every façade in this folder shares it.

import { instantiateSync } from '@assemblyscript/loader';
import { PAGE_BYTES } from '../../assembly/layout.js';
import type { __AdaptedExports } from '../../build/core.js';
import { readFileSync } from '../base/disk.js';

export { PAGE_BYTES };

export type CoreExports = typeof __AdaptedExports;

/** Which build of the core: `debug` keeps assertions and names, `release` is for running. */
export type CoreBuild = 'debug' | 'release';

export interface CoreOptions {
  /** Linear memory is never larger than this; at most 65,536 pages. */
  readonly pagesMax?: number;
  readonly build?: CoreBuild;
}

/** A trap: a broken promise inside the core. The instance must not be used any more. */
export class CoreTrap extends Error {
  override readonly name = 'CoreTrap';
}

/** A trap, a stack overflow in the core, an abort: its state is not to be trusted any more. */
export function isTrap(error: unknown): boolean {
  return error instanceof CoreTrap || error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

/** All that 32 bits can address. */
const PAGES_MAX = 65_536;

const compiled = new Map<string, WebAssembly.Module>();

/** Compiles a module's bytes once per thread. */
export function compile(name: 'core' | 'reader' | 'printer', build: CoreBuild): WebAssembly.Module {
  const file = build === 'debug' ? `${name}.debug.wasm` : `${name}.wasm`;
  let module = compiled.get(file);
  if (module === undefined) {
    module = new WebAssembly.Module(readFileSync(new URL(`../../../build/${file}`, import.meta.url)));
    compiled.set(file, module);
  }
  return module;
}

/** What a module calls when an assertion fails. */
export function trapsOf(memory: WebAssembly.Memory<ArrayBufferLike>) {
  return (message: number, file: number, line: number, column: number): never => {
    throw new CoreTrap(`${stringAt(memory, message)} at ${stringAt(memory, file)}:${line}:${column}`);
  };
}

/** An AssemblyScript string: UTF-16, its length in bytes four bytes before it. */
function stringAt(memory: WebAssembly.Memory<ArrayBufferLike>, address: number): string {
  if (address === 0) return '?';
  const at = address >>> 0;
  const view = new DataView(memory.buffer);
  const length = view.getUint32(at - 4, true);
  let text = '';
  for (let i = 0; i < length; i += 2) text += String.fromCharCode(view.getUint16(at + i, true));
  return text;
}

export class Core {
  readonly exports: CoreExports;
  readonly memory: WebAssembly.Memory;
  readonly #pagesMax: number;
  #bytes: Uint8Array;
  #view: DataView;

  constructor(options: CoreOptions = {}) {
    const build = options.build ?? defaultBuild();
    // The maximum is part of the module's import, so it is 4 GiB for all; the limit below is the real one.
    this.memory = new WebAssembly.Memory({ initial: 64, maximum: PAGES_MAX, shared: true });
    const imports = { env: { memory: this.memory, abort: trapsOf(this.memory) } };
    const { exports } = instantiateSync(compile('core', build), imports as never);
    this.exports = exports as unknown as CoreExports;
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
    this.#pagesMax = options.pagesMax ?? PAGES_MAX;
    this.exports.memory_limit(this.#pagesMax);
  }

  /**
   * All of linear memory, as it is now. Memory is shared, so an older view stays valid
   * after it grew, but short: ask again rather than hold it.
   */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.memory.buffer) this.#renew();
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#view.buffer !== this.memory.buffer) this.#renew();
    return this.#view;
  }

  /** `length` values from `address` on, as typed arrays over linear memory: lends, until memory is reused. */
  u32(address: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address >>> 0, length);
  }

  f64(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address >>> 0, length);
  }

  u8(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address >>> 0, length);
  }

  get usedBytes(): number {
    return this.exports.memory_used_pages() * PAGE_BYTES;
  }

  /** Bytes in use less those that no block has: what new data would have to displace. */
  get heldBytes(): number {
    return this.usedBytes - (this.exports.heap_spare_bytes() >>> 0);
  }

  /** What the memory limit leaves, by the page. */
  get freeBytes(): number {
    return (this.exports.memory_free_pages() >>> 0) * PAGE_BYTES;
  }

  /** Runs an action during which at most so many bytes more are given out, by the page: else it meets OutOfMemory. */
  within<T>(bytes: number, action: () => T): T {
    const pages = Math.max(0, Math.floor(bytes / PAGE_BYTES));
    this.exports.memory_limit(Math.min(this.#pagesMax, this.exports.memory_used_pages() + pages));
    try {
      const result = action();
      this.exports.memory_limit(this.#pagesMax);
      return result;
    } catch (error) {
      // Nothing calls into a core that has trapped.
      if (!isTrap(error)) this.exports.memory_limit(this.#pagesMax);
      throw error;
    }
  }

  #renew(): void {
    this.#bytes = new Uint8Array(this.memory.buffer);
    this.#view = new DataView(this.memory.buffer);
  }
}

export function defaultBuild(): CoreBuild {
  return process.env.NARTHEX_CORE === 'debug' ? 'debug' : 'release';
}
