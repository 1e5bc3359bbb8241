// The exports of the core. Each is a kernel function, named `kernel_verb`, and
// used by exactly one façade in src/wasm.

export {
  alloc as heap_alloc,
  free as heap_free,
} from './memory/heap';
export {
  freePages as memory_free_pages,
  limit as memory_limit,
  usedPages as memory_used_pages,
} from './memory/pages';
