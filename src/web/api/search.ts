// /api/v1/search/…: names and values that fit what somebody has typed, the best or the first of them, in lines as they are
// found. With `--enable-feature=search-api`.
//
//   {"results":[{"name":"up","score":1},…]}
//   {"status":"success","has_more":false}

import { soon } from '../../base/clock.js';
import { quote } from '../../model/quote.js';
import type { Found, LabelQuery, MetricMetadata } from '../deps.js';
import { ApiError, badData } from '../errors.js';
import { type ApiCall, type ApiRoute, GET_POST, objectJson } from './call.js';
import { type FuzzyMeasure, type Score, scorer } from './search-score.js';
import { readSelector } from './selectors.js';
import { messageOf, timeParameter } from './time.js';

const NDJSON_TYPE = 'application/x-ndjson; charset=utf-8';
const LIMIT_DEFAULT = 100;
const BATCH_DEFAULT = 100;
/** Without times, what was there in the last hour is searched. */
const RANGE_DEFAULT_MS = 3_600_000;
/** Values scored in one go: a millisecond or two. */
const SCORED_AT_ONCE = 1000;
const MEASURES: readonly FuzzyMeasure[] = ['subsequence', 'jarowinkler'];

export const searchRoutes: readonly ApiRoute[] = [
  { pattern: '/search/metric_names', methods: GET_POST, handler: metricNames },
  { pattern: '/search/label_names', methods: GET_POST, handler: labelNames },
  { pattern: '/search/label_values', methods: GET_POST, handler: labelValues },
];

interface Search {
  readonly query: LabelQuery;
  /** undefined where everything fits. */
  readonly score: Score | undefined;
  readonly order: 'asc' | 'dsc' | 'score';
  readonly withScore: boolean;
  readonly limit: number;
  readonly batch: number;
}

interface Result {
  readonly name: string;
  readonly score: number;
}

async function metricNames(call: ApiCall): Promise<void> {
  const search = readSearch(call, 'metric_names');
  const withMetadata = flagParameter(call, 'include_metadata', false);
  const found = await call.deps.storage.labelValues('__name__', search.query);
  const known = withMetadata ? await metadataByMetric(call) : undefined;
  await send(call, search, found, (name) => metadataFields(known?.get(name)));
}

async function labelNames(call: ApiCall): Promise<void> {
  const search = readSearch(call, 'label_names');
  await send(call, search, await call.deps.storage.labelNames(search.query));
}

async function labelValues(call: ApiCall): Promise<void> {
  const search = readSearch(call, 'label_values');
  const label = call.params.get('label');
  if (label === '') throw badData('missing required parameter "label"');
  await send(call, search, await call.deps.storage.labelValues(label, search.query));
}

// ---- Parameters

function readSearch(call: ApiCall, endpoint: string): Search {
  const { params, deps, answer } = call;
  if (!deps.searchEnabled) throw new ApiError('unavailable', 'search API disabled');
  if (params.error !== undefined) throw badData(`error parsing form values: ${params.error}`);
  const nowMs = deps.clock.nowMs();
  const startMs = timeParameter(params, 'start', nowMs - RANGE_DEFAULT_MS);
  const endMs = timeParameter(params, 'end', nowMs);
  const selectors = params.all('match[]').map((text) => {
    try {
      return readSelector(text);
    } catch (error) {
      throw badData(messageOf(error));
    }
  });
  const terms = params.all('search[]');
  const threshold = wholeParameter(call, 'fuzz_threshold', 0, 100, 'must be 0-100');
  const measure = params.get('fuzz_alg') || MEASURES[0]!;
  if (!MEASURES.includes(measure as FuzzyMeasure)) {
    throw badData(`unsupported fuzz_alg ${quote(measure)}: must be one of [${MEASURES.join(' ')}]`);
  }
  const caseSensitive = flagParameter(call, 'case_sensitive', true);
  const withScore = flagParameter(call, 'include_score', false);
  const order = orderParameter(call, endpoint, terms.length > 0);
  const counted = 'must be non-negative integer';
  return {
    query: { selectors, startMs, endMs, limit: 0, signal: answer.gone },
    score: terms.length === 0 ? undefined : scorer(terms, measure as FuzzyMeasure, threshold / 100, caseSensitive),
    order,
    withScore,
    limit: wholeParameter(call, 'limit', 0, Number.MAX_SAFE_INTEGER, counted) || LIMIT_DEFAULT,
    batch: wholeParameter(call, 'batch_size', 0, Number.MAX_SAFE_INTEGER, counted) || BATCH_DEFAULT,
  };
}

function orderParameter({ params }: ApiCall, endpoint: string, hasTerms: boolean): Search['order'] {
  const by = params.get('sort_by');
  const direction = params.get('sort_dir');
  if (direction !== '' && by === '') throw badData('sort_dir is only valid when sort_by is set');
  if (direction !== '' && by === 'score') throw badData('sort_dir is not supported for sort_by=score');
  if (direction !== '' && direction !== 'asc' && direction !== 'dsc') {
    throw badData(`invalid sort_dir ${quote(direction)}: must be "asc" or "dsc"`);
  }
  if (by === 'score' && !hasTerms) throw badData('sort_by=score requires search[] to be set');
  if (by === 'score') return 'score';
  if (by !== '' && by !== 'alpha') {
    throw badData(`invalid sort_by ${quote(by)} for ${endpoint}: must be "alpha" or "score"`);
  }
  return direction === 'dsc' ? 'dsc' : 'asc';
}

function wholeParameter({ params }: ApiCall, name: string, missing: number, most: number, refusal: string): number {
  const text = params.get(name);
  if (text === '') return missing;
  const value = /^\+?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most)) throw badData(`invalid ${name} ${quote(text)}: ${refusal}`);
  return value;
}

const TRUE = /^(?:1|t|T|TRUE|true|True)$/;
const FALSE = /^(?:0|f|F|FALSE|false|False)$/;

function flagParameter({ params }: ApiCall, name: string, missing: boolean): boolean {
  const text = params.get(name);
  if (text === '') return missing;
  if (!TRUE.test(text) && !FALSE.test(text)) throw badData(`invalid ${name} ${quote(text)}: must be boolean`);
  return TRUE.test(text);
}

// ---- Results

/** The first ones in their order, one more than wanted where there are more; others wait for nothing meanwhile. */
async function choose(search: Search, values: readonly string[]): Promise<Result[]> {
  const { score, order, limit } = search;
  const chosen: Result[] = [];
  for (let i = 0; i < values.length; i++) {
    if (i % SCORED_AT_ONCE === SCORED_AT_ONCE - 1) {
      await new Promise<void>(soon);
      if (search.query.signal.aborted) return [];
    }
    const name = values[order === 'dsc' ? values.length - 1 - i : i]!;
    const result = { name, score: score === undefined ? 1 : score(name) };
    if (result.score === 0) continue;
    chosen.push(result);
    // What comes in order needs no look at the rest.
    if (order !== 'score' && chosen.length > limit) break;
  }
  // Equal ones stay in the order of their names.
  return order === 'score' ? chosen.sort((a, b) => b.score - a.score) : chosen;
}

async function send(
  call: ApiCall,
  search: Search,
  { values, warnings }: Found<readonly string[]>,
  more: (name: string) => [string, string][] = () => [],
): Promise<void> {
  const results = await choose(search, values);
  const hasMore = results.length > search.limit;
  const shown = hasMore ? results.slice(0, search.limit) : results;
  const resultJson = ({ name, score }: Result) =>
    objectJson([
      ['name', JSON.stringify(name)],
      ...(search.withScore ? [['score', String(score)] as const] : []),
      ...more(name),
    ]);
  const stream = call.answer.stream(200, NDJSON_TYPE);
  const line = (json: string) => stream.write(Buffer.from(`${json}\n`));
  for (let at = 0; at === 0 || at < shown.length; at += search.batch) {
    const batch = shown.slice(at, at + search.batch).map(resultJson);
    const remarks = at === 0 && warnings.length > 0 ? `,"warnings":${JSON.stringify(warnings)}` : '';
    await line(`{"results":[${batch.join(',')}]${remarks}}`);
    if (call.answer.gone.aborted) return;
  }
  await line(`{"status":"success","has_more":${hasMore}}`);
  await stream.end();
}

/** What is known of each metric: of the first who says something. */
async function metadataByMetric(call: ApiCall): Promise<Map<string, MetricMetadata>> {
  const byMetric = new Map<string, MetricMetadata>();
  for (const entry of await call.deps.targets.metadata(undefined)) {
    if (!byMetric.has(entry.metric)) byMetric.set(entry.metric, entry);
  }
  return byMetric;
}

function metadataFields(known: MetricMetadata | undefined): [string, string][] {
  if (known === undefined) return [];
  const fields: [string, string][] = [
    ['type', known.type],
    ['help', known.help],
    ['unit', known.unit],
  ];
  return fields.filter(([, text]) => text !== '').map(([name, text]) => [name, JSON.stringify(text)]);
}
