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
export { columnsOf as aggregate_columns } from './eval/aggregate';
export { evalColumns as eval_columns, evalSeries as eval_series, foldRow as aggregate_fold } from './eval/bridge';
export {
  cache_all_stale,
  cache_forget,
  cache_resolve,
  cache_shards,
  cache_target,
  cache_vanished,
  exposition_dropped,
  exposition_error_at,
  exposition_error_cursor,
  exposition_error_entry,
  exposition_error_token,
  exposition_fault,
  exposition_lines_expected,
  exposition_lines_known,
  exposition_lines_new,
  exposition_metadata,
  exposition_metadata_count,
  exposition_miss_count,
  exposition_misses,
  exposition_parse,
  exposition_scraped,
  float_fallbacks,
  float_parse,
  float_print,
  hash_bytes,
  hash_seed,
  scratch_fault_at,
  scratch_finish,
} from './exposition/api';
export {
  clear as batch_clear,
  rowCount as batch_count,
  rows as batch_rows,
} from './exposition/batch';
export {
  bytes as cache_bytes,
  close as cache_close,
  count as cache_count,
  open as cache_open,
} from './exposition/cache';
export {
  drop as cache_drop,
  readLabels as exposition_labels,
  takeBack as exposition_take_back,
} from './exposition/text';
export {
  addPairs as scratch_add_pairs,
  address as scratch_address,
  begin as scratch_begin,
  checkLimits as scratch_check_limits,
} from './labels/scratch';
export {
  alloc as heap_alloc,
  free as heap_free,
} from './memory/heap';
export {
  freePages as memory_free_pages,
  limit as memory_limit,
  usedPages as memory_used_pages,
} from './memory/pages';
