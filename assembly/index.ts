// The exports of the core. Each is a kernel function, named `kernel_verb`, and
// used by exactly one façade in src/wasm.

export { update as crc32c_update } from './bytes/crc32c';
export { zeroPrefix as zeros_prefix } from './bytes/zeros';
export {
  appendColumns as chunk_append_columns,
  appendStatus as chunk_append_status,
  close as chunk_close,
  count as chunk_count,
  decode as chunk_decode,
  free as chunk_free,
  open as chunk_open,
  samples as chunk_samples,
  seal as chunk_seal,
  size as chunk_size,
  snapshot as chunk_snapshot,
} from './chunk/bridge';
export {
  alloc as heap_alloc,
  free as heap_free,
} from './memory/heap';
export {
  freePages as memory_free_pages,
  limit as memory_limit,
  usedPages as memory_used_pages,
} from './memory/pages';
export {
  columnsOf as aggregate_columns,
  finish as aggregate_finish,
  fold as aggregate_fold,
  merge as aggregate_merge,
  stateBytes as aggregate_state_bytes,
} from './eval/aggregate';
export { evalColumns as eval_columns, evalSeries as eval_series } from './eval/bridge';
