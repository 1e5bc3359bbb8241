// The exports of the core. Each is a kernel function, named `kernel_verb`, and
// used by exactly one façade in src/wasm (scripts/tidy/exceptions.ts has the exceptions).

export { copy as bytes_copy } from './bytes/copy';
export { update as crc32c_update } from './bytes/crc32c';
export { zeroPrefix as zeros_prefix } from './bytes/zeros';
export {
  drop as chunks_drop,
  findHeads as chunks_find_heads,
  hitsTotal as chunks_hits,
  keepHead as chunks_keep_head,
  missesTotal as chunks_misses,
  referHead as chunks_refer_head,
} from './cache/chunks';
export {
  count as chunks_pages,
  grow as chunks_grow,
  limit as chunks_limit,
  unpin as chunks_unpin,
} from './cache/pages';
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
export { heldBytes as sealed_bytes } from './chunk/sealed';
export { columnsOf as aggregate_columns } from './eval/aggregate';
export {
  evalColumns as eval_columns,
  evalSeries as eval_series,
  foldRow as aggregate_fold,
} from './eval/bridge';
export {
  cache_added,
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
  exposition_exemplar_count,
  exposition_exemplars,
  exposition_fault,
  exposition_histogram_count,
  exposition_histograms,
  exposition_lines_expected,
  exposition_lines_known,
  exposition_lines_new,
  exposition_metadata,
  exposition_metadata_count,
  exposition_miss_count,
  exposition_misses,
  exposition_parse,
  exposition_parse_protobuf,
  exposition_scraped,
  exposition_settle_starts,
  exposition_spelled,
  exposition_wire_fault,
  exposition_wire_fault_at,
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
  readLabels as exposition_labels,
  readLabelsAt as exposition_labels_at,
  takeBack as exposition_take_back,
} from './exposition/text';
export { drop as cache_drop, settle as cache_settle } from './exposition/walk';
export {
  addExternal as federate_external,
  arrange as federate_arrange,
  blockCount as federate_block_count,
  blocksAddress as federate_blocks,
  close as federate_close,
  countOf as federate_count,
  nameAt as federate_name,
  open as federate_open,
  order as federate_order,
  place as federate_place,
  release as federate_release,
  render as federate_render,
  textAddress as federate_text,
  textBytes as federate_text_bytes,
} from './federate/render';
export {
  appendedTotal as append_total,
  begin as append_begin,
  lateAddress as append_late,
  lateCount as append_late_count,
  outcomeAddress as append_outcome,
  sealedTotal as append_sealed_total,
  unknownAddress as append_unknown,
} from './head/append';
export {
  beginFile as attach_begin_file,
  chunksInFile as attach_file_chunks,
  clearHistograms as attach_clear_histograms,
  fileHasOutOfOrder as attach_file_out_of_order,
  highestRef as attach_highest_ref,
  histogramsAddress as attach_histograms,
  histogramsBytes as attach_histograms_bytes,
  latestInFile as attach_file_latest,
  newest as attach_newest,
  overlappingInFile as attach_file_overlapping,
  resync as attach_resync,
  scan as attach_scan,
  scanStatus as attach_status,
} from './head/attach';
export {
  appendHistogram as append_histogram,
  appendRows as append_rows,
  closePart as part_close,
  createSeries as series_create,
  deletedTotal as delete_total,
  deleteHandled as delete_handled,
  deleteSamples as delete_samples,
  emptiedAt as series_emptied_at,
  newestFloatOf as series_newest_float,
  newestOf as series_newest,
  openPart as part_open,
  partAddress as part_address,
  partAdvance as part_advance,
  partBytes as part_bytes,
  partRoom as part_room,
  refOf as series_ref_low,
  replayFind as replay_find,
  replayHistogram as replay_histogram,
  replayImage as replay_image,
  replaySamples as replay_samples,
  settleLate as append_settle_late,
  truncateScan as truncate_scan,
  wholeRefOf as series_ref,
} from './head/bridge';
export { chunksFreedTotal as delete_chunks_freed } from './head/delete';
export {
  chunksPage as export_chunks,
  clear as export_clear,
  oldest as export_oldest,
  pageAddress as export_page,
  pageBytes as export_page_bytes,
  schemasPage as export_schemas,
  seriesPage as export_series,
  seriesPageOf as export_series_of,
  stringsAddress as export_strings,
  stringsBytes as export_strings_bytes,
  symbolsPage as export_symbols,
} from './head/export';
export { count as guests_count } from './head/guests';
export {
  collect as image_collect,
  end as image_end,
  isRefused as image_refused,
  leftOut as image_left_out,
  pageAddress as image_page,
  pageBytes as image_page_bytes,
  restoredSamples as image_restored,
} from './head/image';
export { inviteRows as guests_invite } from './head/invite';
export {
  closeView as journal_close,
  commit as journal_commit,
  copyView as journal_copy,
  openView as journal_open,
} from './head/journal';
export { add as late_add, remove as late_remove } from './head/late';
export {
  allValues as listing_all_values,
  names as listing_names,
  values as listing_values,
} from './head/listing';
export {
  bareAddress as recall_bare,
  bareCount as recall_bare_count,
  isBareSeries as recall_is_bare,
  listBare as recall_list_bare,
  recall as recall_chunks,
  revive as recall_revive,
} from './head/recall';
export {
  alias as replay_alias,
  aliasCount as replay_alias_count,
  applied as replay_applied,
  begin as replay_begin,
  end as replay_end,
  errorOffset as replay_error_offset,
  foreign as replay_foreign,
  highest as replay_highest,
  lateAddress as replay_late,
  lateCount as replay_late_count,
  newest as replay_newest,
  refusedSpares as replay_refused_spares,
  seriesRecord as replay_series,
  skipped as replay_skipped,
  spareRecord as replay_spare,
  tombstonesRecord as replay_tombstones,
} from './head/replay';
export {
  all as select_all,
  collect as select_collect,
  dropDead as select_drop_dead,
  filter as select_filter,
  match as select_match,
  matchedAddress as select_matched_address,
  matchedCount as select_matched_count,
  matchedTotal as select_matched_total,
  total as select_total,
} from './head/select';
export {
  bound as series_bound,
  count as series_count,
  createdTotal as series_created,
  dropGuests as guests_drop,
  ownerOfScratch as series_owner,
  removedTotal as series_removed,
  renew as series_renew,
  resolve as series_resolve,
} from './head/series';
export { droppedSamples as sift_dropped, seenSamples as sift_seen, sift } from './head/sift';
export { bytesOf as spare_bytes, madeCount as spare_made, nextMade as spare_next } from './head/spare-series';
export {
  begin as spill_begin,
  collect as spill_collect,
  confirm as spill_confirm,
  evict as spill_evict,
  evictionCount as spill_evictions,
  isRefused as spill_refused,
  isUsed as spill_used,
  latestCollected as spill_latest,
  liveRefs as spill_live_refs,
  mayCarryHistograms as spill_may_carry_histograms,
  newestEvicted as spill_newest_evicted,
  pageAddress as spill_page,
  pageBytes as spill_page_bytes,
  rejoinedTotal as spill_rejoined,
  spilledTotal as spill_total,
} from './head/spill';
export { splitAt as export_split } from './head/split';
export {
  beginSweep as truncate_begin_sweep,
  chunksFreedTotal as truncate_chunks_freed,
  finish as truncate_finish,
  retiredAddress as truncate_retired,
  retiredCount as truncate_retired_count,
  sweepName as truncate_sweep,
} from './head/truncate';
export {
  address as wanted_address,
  count as wanted_count,
  link as wanted_link,
  list as wanted_list,
} from './head/wanted';
export {
  addPairs as scratch_add_pairs,
  address as scratch_address,
  begin as scratch_begin,
  checkLimits as scratch_check_limits,
} from './labels/scratch';
export {
  address as symbols_address,
  bound as symbols_bound,
  count as symbols_count,
  find as symbols_find,
  length as symbols_length,
  stringBytes as symbols_bytes,
} from './labels/symbols';
export {
  begin as labels_begin,
  clear as labels_clear,
  rowsAddress as labels_rows,
  rowsBytes as labels_rows_bytes,
  stringsAddress as labels_strings,
  stringsBytes as labels_strings_bytes,
} from './labels/table';
export {
  alloc as heap_alloc,
  free as heap_free,
  spareBytes as heap_spare_bytes,
} from './memory/heap';
export {
  freePages as memory_free_pages,
  limit as memory_limit,
  usedPages as memory_used_pages,
} from './memory/pages';
export {
  nameAt as pairs_name,
  nameBound as pairs_name_bound,
  namePairsAt as pairs_name_pairs,
  nameSeriesAt as pairs_name_series,
  pairCount as pairs_total,
  pairNewest as pairs_newest,
  pairSeries as pairs_count,
  pairValue as pairs_value,
} from './postings/pairs';
export {
  intersect as sets_intersect,
  subtract as sets_subtract,
  union as sets_union,
} from './postings/sets';
export {
  close as groups_close,
  open as groups_open,
} from './query/groups';
export { close as keep_close, open as keep_open } from './query/keep';
export {
  arenaSize as load_arena_size,
  chunks as load_chunks,
  clear as load_clear,
  entries as load_entries,
  isRefused as load_refused,
  known as load_known,
  link as load_link,
  missingCount as load_missing,
  release as load_release,
  wantedAddress as load_wanted,
  wantedCount as load_wanted_count,
} from './query/load';
export { morsel as query_morsel } from './query/morsel';
export { placesOf as query_places } from './query/places';
export {
  close as query_close,
  corruptOf as query_corrupt_of,
  corruptTotal as query_corrupt,
  cursor as query_cursor,
  cutOf as query_cut,
  groupCount as query_groups,
  isAnsweredByHead as query_head_answers,
  open as query_open,
  presentAddress as query_present,
  render as query_render,
  rows as query_rows,
  samples as query_samples,
  setFloor as query_floor,
  setHistory as query_history,
  setPhi as query_phi,
  shape as query_shape,
  stateAt as query_state,
  status as query_status,
  timesAddress as query_times,
  trimRows as query_trim_rows,
  valuesAddress as query_values,
  valuesBytes as query_values_bytes,
} from './query/query';
export {
  cells as render_cells,
  close as render_close,
  drop as render_drop,
  endsAddress as render_ends,
  keyEndsAddress as render_key_ends,
  keysAddress as render_keys,
  keysBytes as render_keys_bytes,
  open as render_open,
  orderAddress as render_order,
  rows as render_rows,
  textAddress as render_text,
  textBytes as render_text_bytes,
} from './query/render';
export {
  address as round_address,
  callsTotal as round_calls,
  helpedTotal as round_helped,
  isHurried as round_hurried,
  setReaders as round_readers,
} from './query/rounds';
export { open as shaping_open } from './query/shaping';
export { wantedOf as query_wanted } from './query/wanted';
export {
  remote_age,
  remote_error_at,
  remote_exemplars,
  remote_fault,
  remote_histograms,
  remote_labels,
  remote_metadata,
  remote_samples,
  remote_series,
  snappy_decode,
  snappy_error_at,
  snappy_length,
} from './remote/api';
export { scan as remote_scan, takeBack as remote_take_back } from './remote/write';
