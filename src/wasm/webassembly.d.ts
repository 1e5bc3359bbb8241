// The part of the WebAssembly JavaScript interface that we use. TypeScript has it
// only in its DOM library, whose other globals (name, status, …) invite mistakes.

declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  /** Of one that is not shared, the buffer is an ArrayBuffer, and detached when the memory grows. */
  class Memory<B extends ArrayBufferLike = SharedArrayBuffer> {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: B;
    grow(pages: number): number;
  }
  class Global {
    value: number;
  }
  class Table {}
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: Record<string, unknown>;
  }
  class RuntimeError extends Error {}
  type ModuleImports = Record<string, unknown>;
  type Imports = Record<string, ModuleImports>;
}
