// Answers of ours that are wrong on purpose. A comparison that does not find each of them proves nothing.

import type { HistogramJson, Point, Question, Reply, ReplyBody, SeriesJson } from './question.js';
import type { Compared } from './verdict.js';

export interface PlantedBug {
  readonly name: string;
  /** What an answer with this is made of; it may come out the same. */
  readonly change: (body: ReplyBody) => ReplyBody;
}

/** Relative: as little as no library of functions is off by. */
const SOME = 1e-9;

export const PLANTED_BUGS: readonly PlantedBug[] = [
  { name: 'values a little too large', change: ofSeries(ofPoints(larger, (histogram) => histogram)) },
  {
    name: 'sums of histograms a little too large',
    change: ofSeries(ofPoints(same, (histogram) => ({ ...histogram, sum: larger(histogram.sum) }))),
  },
  {
    name: 'buckets a little too large',
    change: ofSeries(ofPoints(same, withLargerBuckets)),
  },
  { name: 'a last step that is missing', change: ofSeries(withoutLast) },
  { name: 'a series that is missing', change: withoutOne },
  {
    name: 'names that should be gone, or should not',
    change: ofSeries((series) => ({ ...series, metric: withName(series.metric) })),
  },
  { name: 'other labels', change: ofSeries((series) => ({ ...series, metric: { ...series.metric, job: 'another' } })) },
  { name: 'no infos', change: ({ infos: _, ...body }) => body },
  { name: 'no warnings', change: ({ warnings: _, ...body }) => body },
  {
    name: 'an info too many',
    change: (body) => ({ ...body, infos: [...(body.infos ?? []), 'PromQL info: what nobody else says (1:1)'] }),
  },
];

/** The same servers; all that is ours has the bug. */
export function planted({ peer, ours, delayedNames, stability }: Compared, { change }: PlantedBug): Compared {
  const changed = (reply: Reply): Reply =>
    reply.body.data === undefined ? reply : { ...reply, body: change(reply.body) };
  return {
    peer,
    delayedNames,
    ours: { ask: async (path, params) => changed(await ours.ask(path, params)) },
    stability: {
      replies: async (question: Question) => (await stability.replies(question)).map(changed),
      moreReplies: async (question: Question) => (await stability.moreReplies(question)).map(changed),
    },
  };
}

function ofSeries(change: (series: SeriesJson) => SeriesJson): PlantedBug['change'] {
  return ofAll((all) => all.map(change));
}

/** Answers without series stay as they are. */
function ofAll(change: (all: readonly SeriesJson[]) => readonly SeriesJson[]): PlantedBug['change'] {
  return (body) => {
    const { data } = body;
    if (data?.resultType !== 'vector' && data?.resultType !== 'matrix') return body;
    return { ...body, data: { ...data, result: change(data.result) } };
  };
}

function ofPoints(float: (text: string) => string, histogram: (one: HistogramJson) => HistogramJson) {
  const at =
    <T>(change: (value: T) => T) =>
    ([time, value]: Point<T>): Point<T> => [time, change(value)];
  return (series: SeriesJson): SeriesJson => ({
    ...series,
    ...(series.value && { value: at(float)(series.value) }),
    ...(series.values && { values: series.values.map(at(float)) }),
    ...(series.histogram && { histogram: at(histogram)(series.histogram) }),
    ...(series.histograms && { histograms: series.histograms.map(at(histogram)) }),
  });
}

function same(text: string): string {
  return text;
}

function larger(text: string): string {
  const value = Number(text);
  return Number.isFinite(value) && Math.abs(value) > 1e-290 ? String(value * (1 + SOME)) : text;
}

function withLargerBuckets(histogram: HistogramJson): HistogramJson {
  const { buckets } = histogram;
  if (buckets === undefined) return histogram;
  return { ...histogram, buckets: buckets.map(([rule, from, to, count]) => [rule, from, to, larger(count)]) };
}

function withoutLast(series: SeriesJson): SeriesJson {
  const { values = [], histograms = [] } = series;
  // A series without points would be another bug.
  if (values.length + histograms.length < 2) return series;
  return values.length > 0
    ? { ...series, values: values.slice(0, -1) }
    : { ...series, histograms: histograms.slice(0, -1) };
}

/** The same one, in whatever order they come. */
function withoutOne(body: ReplyBody): ReplyBody {
  const keyOf = ({ metric }: SeriesJson) => JSON.stringify(Object.entries(metric).sort());
  return ofAll((all) => {
    const first = all.map(keyOf).sort()[0];
    return all.filter((series) => keyOf(series) !== first);
  })(body);
}

function withName({ __name__: name, ...labels }: SeriesJson['metric']): SeriesJson['metric'] {
  return name === undefined ? { ...labels, __name__: 'back' } : labels;
}
