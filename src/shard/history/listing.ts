// Names and values of labels in blocks: whichever shard is asked, of all their series.

import type { Matcher } from '../../model/matcher.js';
import type { HistoryBlock } from './block.js';
import type { OpenHistory } from './history.js';
import { overlaps, type TimeSpan } from './selection.js';

/** Each once, in no order. Without selectors those of all series. */
export function namesInBlocks(
  history: OpenHistory,
  selectors: readonly (readonly Matcher[])[],
  span: TimeSpan,
): string[] {
  return listed(history, selectors, span, (block, matchers) => block.names(matchers));
}

export function valuesInBlocks(
  history: OpenHistory,
  name: string,
  selectors: readonly (readonly Matcher[])[],
  span: TimeSpan,
): string[] {
  return listed(history, selectors, span, (block, matchers) => block.values(name, matchers));
}

function listed(
  { blocks, faults }: OpenHistory,
  selectors: readonly (readonly Matcher[])[],
  span: TimeSpan,
  list: (block: HistoryBlock, matchers: readonly Matcher[]) => string[],
): string[] {
  const found = new Set<string>();
  for (const block of blocks.filter((one) => overlaps(one, span))) {
    for (const matchers of selectors.length === 0 ? [[]] : selectors) {
      const strings = faults.guard(block.ulid, { minTimeMs: block.minTimeMs, maxTimeMs: block.maxTimeMs - 1 }, () =>
        list(block, matchers),
      );
      for (const text of strings ?? []) found.add(text);
    }
  }
  return [...found];
}
