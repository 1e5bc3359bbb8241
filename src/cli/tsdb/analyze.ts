// `tsdb analyze`: what of a block's labels takes room and comes and goes, in promtool's lists.

import type { Disk } from '../../base/disk.js';
import { METRIC_NAME } from '../../model/labels.js';
import type { Matcher } from '../../model/matcher.js';
import type { Block } from '../../tsdb/block/block.js';
import { labelNames, labelValues, selectSeries } from '../../tsdb/block/select.js';
import { SeriesEntry } from '../../tsdb/block/series-entry.js';
import type { Crc32c } from '../../wasm/crc32c.js';
import { ToolError } from '../tool/command.js';
import { goDuration } from '../tool/go-text.js';
import type { Output } from '../tool/output.js';
import { withBlocks } from './data-folder.js';
import { fullness } from './fullness.js';

export interface AnalysisRequest {
  readonly folder: string;
  /** The newest where absent. */
  readonly ulid?: string;
  /** Lines of each list. */
  readonly limit: number;
  /** How full chunks are, too. */
  readonly isExtended: boolean;
  /** As it was given, and what it means. */
  readonly selector?: { readonly text: string; readonly matchers: readonly Matcher[] };
}

export function analyze(disk: Disk, crc: Crc32c, request: AnalysisRequest, out: Output): void {
  withBlocks(disk, request.folder, crc, (blocks) => {
    const block = findBlock(blocks, request.ulid);
    out.line(`Block ID: ${block.meta.ulid}`);
    out.line(`Duration: ${goDuration(block.meta.maxTimeMs - block.meta.minTimeMs)}`);
    out.line(`Total Series: ${block.meta.stats.series}`);
    const matchers = request.selector?.matchers ?? [];
    const names = labelNames(block, matchers);
    if (request.selector !== undefined) out.line(`Matcher: ${request.selector.text}`);
    out.line(`Label names: ${names.length}`);
    const refs = selectSeries(block, matchers);
    if (request.selector !== undefined) out.line(`Matched series: ${refs.length}`);
    printLists(block, refs, { names, matchers, limit: request.limit }, out);
    if (request.isExtended) for (const line of fullness(block, refs)) out.line(line);
  });
}

function findBlock(blocks: readonly Block[], ulid: string | undefined): Block {
  const block = ulid === undefined ? blocks.at(-1) : blocks.find(({ meta }) => meta.ulid === ulid);
  if (block !== undefined) return block;
  throw new ToolError(ulid === undefined ? 'no blocks found' : `invalid block ID ${ulid}`);
}

interface Question {
  readonly names: readonly string[];
  readonly matchers: readonly Matcher[];
  readonly limit: number;
}

function printLists(block: Block, refs: Uint32Array, { names, matchers, limit }: Question, out: Output): void {
  const usage = usageOf(block, refs);
  const print = (title: string, counts: Iterable<readonly [string, number]>) => {
    out.line('');
    out.line(`${title}:`);
    for (const [what, count] of largest(counts, limit)) out.line(`${count} ${what}`);
  };
  out.line(`Postings (unique label pairs): ${usage.pairs.size}`);
  out.line(`Postings entries (total label pairs): ${usage.entries}`);
  const spanMs = block.meta.maxTimeMs - block.meta.minTimeMs;
  const inSpans = (from: ReadonlyMap<string, Use>) =>
    Array.from(from, ([what, { uncoveredMs }]) => [what, Math.floor(uncoveredMs / spanMs)] as const);
  print('Label pairs most involved in churning', inSpans(usage.pairs));
  print('Label names most involved in churning', inSpans(usage.names));
  print(
    'Most common label pairs',
    Array.from(usage.pairs, ([pair, { count }]) => [pair, count] as const),
  );
  const values = names.map((name) => [name, labelValues(block, name, matchers)] as const);
  const bytes = values.map(
    ([name, texts]) => [name, texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)] as const,
  );
  print('Label names with highest cumulative label value length', bytes);
  print(
    'Highest cardinality labels',
    values.map(([name, texts]) => [name, texts.length] as const),
  );
  print('Highest cardinality metric names', metricNames(usage.pairs));
}

function metricNames(pairs: ReadonlyMap<string, Use>): [string, number][] {
  const prefix = `${METRIC_NAME}=`;
  return Array.from(pairs).flatMap(([pair, { count }]): [string, number][] => {
    return pair.startsWith(prefix) ? [[pair.slice(prefix.length), count]] : [];
  });
}

/** A pair of a label, or a name. */
interface Use {
  /** Series that have it. */
  count: number;
  /** Of the block's time, what they leave out, all together. */
  uncoveredMs: number;
}

interface Usage {
  readonly pairs: ReadonlyMap<string, Use>;
  readonly names: ReadonlyMap<string, Use>;
  readonly entries: number;
}

function usageOf({ index, meta }: Block, refs: Uint32Array): Usage {
  // By symbols: a million series have a few thousand pairs.
  const byPair = new Map<number, Use>();
  const byName = new Map<number, Use>();
  const entry = new SeriesEntry();
  let entries = 0;
  for (const ref of refs) {
    index.series(ref, entry);
    const last = entry.chunkCount - 1;
    const uncoveredMs = meta.maxTimeMs - meta.minTimeMs - (entry.maxTimesMs[last]! - entry.minTimesMs[0]!);
    const { labels } = entry;
    for (let i = 0; i < labels.length; i += 2) {
      add(byName, labels[i]!, uncoveredMs);
      add(byPair, labels[i]! * index.symbols.count + labels[i + 1]!, uncoveredMs);
    }
    entries += entry.labelCount;
  }
  const { symbols } = index;
  const names = Array.from(byName, ([name, use]) => [symbols.string(name), use] as const);
  const pairs = Array.from(byPair, ([pair, use]) => {
    const name = Math.floor(pair / symbols.count);
    return [`${symbols.string(name)}=${symbols.string(pair % symbols.count)}`, use] as const;
  });
  return { pairs: new Map(pairs), names: new Map(names), entries };
}

function add(uses: Map<number, Use>, key: number, uncoveredMs: number): void {
  const use = uses.get(key);
  if (use === undefined) uses.set(key, { count: 1, uncoveredMs });
  else {
    use.count++;
    use.uncoveredMs += uncoveredMs;
  }
}

/** Most first; of equal ones by name. */
function largest(counts: Iterable<readonly [string, number]>, limit: number): (readonly [string, number])[] {
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, limit);
}
