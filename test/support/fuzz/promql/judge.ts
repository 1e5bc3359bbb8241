// Whether two replies to one question agree, and if not, whether that is explained: by
// chance (stability.ts) or by what we mean to do otherwise (known.ts, changed-functions.ts).

import type { Expr } from '../../../../src/promql/syntax/ast.js';
import { CHANGED_FUNCTIONS } from './changed-functions.js';
import {
  type Cell,
  type Cells,
  cellsOf,
  compareCells,
  compareReplies,
  type Rules,
  remarksOf,
  sameCell,
  sameValues,
} from './compare.js';
import { withGoLibrary } from './go-library.js';
import { groupsLoseNames } from './group-names.js';
import { areReconciled, knownDifference } from './known.js';
import { isOfLibrary, isSum, magnifiesLastDigits } from './last-digits.js';
import { asOlder, type OlderOptions } from './older.js';
import { forgetResets, uncertainResets } from './older-resets.js';
import { alone, partsOf, textOf } from './parts.js';
import { type Answerer, askQuestion, type Question, type Reply } from './question.js';
import {
  askAllSteps,
  joinSteps,
  readingBuckets,
  sameButZeros,
  sameByStep,
  sameOffGrid,
  stepsOf,
  withoutPinnedParameters,
  withTimes,
} from './rephrased.js';
import { type Circumstances, sameOutcome, stableCells } from './stability.js';
import { CLOSE, type Compared, parsed, rulesFor, type Verdict } from './verdict.js';
import { errorInCommon } from './words.js';

const OLDER: readonly OlderOptions[] = [{}, { keepsBuckets: true }, { keepsBuckets: true, seesMost: true }];

export async function judge(question: Question, theirs: Reply, ours: Reply, servers: Compared): Promise<Verdict> {
  const expr = parsed(question.text);
  const rules = rulesFor(question, expr);
  const problem = compareReplies(theirs, ours, rules);
  if (problem === undefined) return { kind: 'same' };
  const olders: Reply[] = [];
  for (const options of OLDER) {
    const older = await asOlder(() => askQuestion(servers.ours, question), options);
    if (compareReplies(theirs, older, rules) === undefined) return { kind: 'explained', by: 'histograms as in 3.5' };
    olders.push(older);
  }
  for (const own of [ours, ...olders]) {
    const known = knownDifference({ question, delayedNames: servers.delayedNames, expr, theirs, ours: own });
    if (known !== undefined) return { kind: 'explained', by: known };
  }
  const unpinned = expr && withoutPinnedParameters(question, expr);
  if (unpinned && compareReplies(theirs, await askQuestion(servers.ours, unpinned), rules) === undefined) {
    return { kind: 'explained', by: 'parameters that are pinned' };
  }
  if (expr !== undefined && (await sameButZeros(question, expr, servers))) {
    return { kind: 'explained', by: 'signs of zeros that are quantiles' };
  }
  if (expr !== undefined && (await sameByStep(question, expr, servers))) {
    return { kind: 'explained', by: 'points of subqueries that no step sees' };
  }
  if (expr !== undefined && (await sameOffGrid(question, expr, servers))) {
    return { kind: 'explained', by: 'pins in subqueries that begin with the evaluation' };
  }
  const asInGo = await withGoLibrary(() => askQuestion(servers.ours, question));
  if (compareReplies(theirs, asInGo, rules) === undefined) {
    return { kind: 'explained', by: "Go's library" };
  }
  if (
    expr !== undefined &&
    servers.delayedNames &&
    (await groupsLoseNames(question, expr, [theirs, ours], servers.ours))
  ) {
    return { kind: 'explained', by: 'names of groups' };
  }
  const changed = expr && (await changedFunction(question, expr, servers));
  if (changed !== undefined) return { kind: 'explained', by: changed };
  const again = async () => askQuestion(servers.peer, question);
  const { stability } = servers;
  if (await byChance(question, theirs, ours, rules, stability, again)) return { kind: 'explained', by: 'order' };
  for (const [i, older] of olders.entries()) {
    if (await asOlder(() => byChance(question, theirs, older, rules, stability, again), OLDER[i])) {
      return { kind: 'explained', by: 'histograms as in 3.5, and order' };
    }
  }
  const { peer, ours: own } = servers;
  if (expr !== undefined && (await magnifiesLastDigits(question, expr, [peer, own], rules, isOfLibrary))) {
    return { kind: 'explained', by: "last digits of Go's library" };
  }
  const isWithout = expr !== undefined && !servers.readsBuckets && partsOf(expr).some(({ expr }) => isStatistic(expr));
  if (isWithout && (await explainedWithBuckets(question, ours, servers))) {
    return { kind: 'explained', by: 'statistics without buckets' };
  }
  const reasons = question.stepMs === 0 ? [] : await explainedByStep(question, expr, servers);
  if (reasons.length > 0) return { kind: 'explained', by: `step by step: ${reasons.sort().join(', ')}` };
  return { kind: 'different', problem };
}

function isStatistic(expr: Expr): boolean {
  return expr.kind === 'call' && /^histogram_(count|sum|avg)$/.test(expr.fn);
}

/** Whether Prometheus agrees as soon as it reads the buckets of all selectors. */
async function explainedWithBuckets(question: Question, ours: Reply, servers: Compared): Promise<boolean> {
  const peer = readingBuckets(servers.peer);
  const theirs = await askQuestion(peer, question);
  const verdict = await judge(question, theirs, ours, { ...servers, peer, readsBuckets: true });
  return verdict.kind !== 'different';
}

/**
 * What explains the steps of a range query that differ, where that is one thing at one step and another at the next; and
 * both sides say of all steps what they say of each.
 */
async function explainedByStep(question: Question, expr: Expr | undefined, servers: Compared): Promise<string[]> {
  const asked = withTimes(question);
  const steps = stepsOf(asked);
  const rules = { ...rulesFor(asked, expr), tolerance: CLOSE };
  const [theirs, ours] = await Promise.all([servers.peer, servers.ours].map((one) => askAllSteps(one, steps)));
  for (const [server, replies] of [[servers.peer, theirs!] as const, [servers.ours, ours!] as const]) {
    if (compareReplies(await askQuestion(server, asked), joinSteps(replies), rules) !== undefined) return [];
  }
  const reasons = new Set<string>();
  for (const [i, step] of steps.entries()) {
    const verdict = await judge(step, theirs![i]!, ours![i]!, servers);
    if (verdict.kind === 'different') return [];
    if (verdict.kind === 'explained') reasons.add(verdict.by);
  }
  return [...reasons];
}

/**
 * The name of a function that newer versions changed, if a call of it alone differs from Prometheus 3.5, and in the
 * way that it should. One in a subquery is asked at the subquery's times, as far as an instant query can.
 */
async function changedFunction(question: Question, root: Expr, servers: Compared): Promise<string | undefined> {
  for (const { expr, around } of partsOf(root)) {
    if (expr.kind !== 'call' && expr.kind !== 'binary') continue;
    const [name, inputs] = expr.kind === 'call' ? [expr.fn, expr.args] : [expr.op, [expr.left, expr.right]];
    const changed = CHANGED_FUNCTIONS.get(name);
    if (changed === undefined) continue;
    const texts = inputs.map((input) => textOf(question, input));
    const besides = changed.beside && alone(question, changed.beside(texts), around);
    for (const [i, asked] of alone(question, textOf(question, expr), around).entries()) {
      const different = await differentCells(asked, servers);
      const beside = besides && (await cellsFor(besides[i]!, servers.ours));
      const seen = changed.resets ? await bySeenResets(asked, servers.ours) : undefined;
      const { delayedNames } = servers;
      const context = { call: textOf(question, expr), args: texts, delayedNames, allBeside: beside };
      const isExplained = (cell: DifferentCell) => {
        const cellIn = (cells: Cells | undefined) => cells?.get(cell.series)?.get(cell.time);
        return changed.explains({ ...cell, ...context, beside: cellIn(beside), bySeenResets: seen?.map(cellIn) });
      };
      if (different.length > 0 && different.every(isExplained)) return name;
    }
  }
  return undefined;
}

/** So many uncertain resets are looked at, over all series and steps. */
const RESETS_MAX = 300;

/** As 3.5 would answer if it saw none of the uncertain resets, then if it saw each one alone. */
async function bySeenResets(question: Question, ours: Answerer): Promise<Cells[]> {
  const seeing = (sees: number) => asOlder(() => cellsFor(question, ours), { sees });
  forgetResets();
  const all = [await seeing(-1)];
  const count = uncertainResets();
  if (count <= RESETS_MAX) for (let i = 0; i < count; i++) all.push(await seeing(i));
  return all;
}

interface DifferentCell {
  readonly isReconciled: boolean;
  readonly series: string;
  readonly time: string;
  readonly theirs: Cell | undefined;
  readonly ours: Cell | undefined;
}

async function differentCells(question: Question, { peer, ours }: Compared): Promise<DifferentCell[]> {
  const replies = await Promise.all([peer, ours].map((server) => askQuestion(server, question)));
  const isReconciled = areReconciled(replies[0]!, replies[1]!);
  const [a, b] = replies.map(cellsIn) as [Cells, Cells];
  const different: DifferentCell[] = [];
  for (const series of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(series), b.get(series)];
    for (const time of new Set([...(x?.keys() ?? []), ...(y?.keys() ?? [])])) {
      const cell = { series, time, theirs: x?.get(time), ours: y?.get(time), isReconciled };
      const { theirs, ours } = cell;
      if (theirs === undefined || ours === undefined || !sameCell(theirs, ours, CLOSE)) different.push(cell);
    }
  }
  return different;
}

async function cellsFor(question: Question, answerer: Answerer): Promise<Cells> {
  return cellsIn(await askQuestion(answerer, question));
}

/** None where the answer is an error. */
function cellsIn({ body: { data } }: Reply): Cells {
  return data === undefined ? new Map() : cellsOf(data);
}

/** Sources of ours that are compared. */
export interface Sources {
  readonly memory: Answerer;
  readonly other: Answerer;
  readonly stability: Circumstances;
}

/** Whether another source of ours answers as the one in memory does. */
export async function judgeSource(question: Question, memory: Reply, other: Reply, sources: Sources): Promise<Verdict> {
  const rules: Rules = {
    tolerance: CLOSE,
    ordered: false,
    annotation: (text) => text,
    error: (text) => errorInCommon(text, question.text),
    isNewRemark: () => false,
    isOneOfMany: () => false,
  };
  const problem = compareReplies(memory, other, rules);
  if (problem === undefined) return { kind: 'same' };
  if (await byChance(question, memory, other, rules, sources.stability, async () => memory)) {
    return { kind: 'explained', by: 'order, on shards' };
  }
  const expr = parsed(question.text);
  if (
    expr !== undefined &&
    (await magnifiesLastDigits(question, expr, [sources.memory, sources.other], rules, isSum))
  ) {
    return { kind: 'explained', by: 'last digits of sums, on shards' };
  }
  return { kind: 'different', problem: problem.replaceAll('theirs', 'memory').replaceAll('ours', 'stored') };
}

/** How often a Prometheus that may be of two minds is asked again. */
const AGAIN = 4;

async function byChance(
  question: Question,
  theirs: Reply,
  ours: Reply,
  rules: Rules,
  stability: Circumstances,
  again: () => Promise<Reply>,
): Promise<boolean> {
  const own = [ours, ...(await stability.replies(question))];
  const peers = [theirs];
  for (let i = 0; i < AGAIN; i++) peers.push(await again());
  if (sameByChance(question, own, peers, rules)) return true;
  // Among many that tie, few orders choose the one that another server did.
  if (!/\b(topk|bottomk|limitk)\b/i.test(question.text)) return false;
  return sameByChance(question, [...own, ...(await stability.moreReplies(question))], peers, rules);
}

/** Whether the first of our replies and the first of theirs are the same in all that each of them always says. */
function sameByChance(question: Question, own: readonly Reply[], peers: readonly Reply[], rules: Rules): boolean {
  const [ours, theirs] = [own[0]!, peers[0]!];
  if (!sameOutcome(own) || !sameOutcome(peers)) return true;
  if (theirs.body.status === 'error' || ours.body.status === 'error') {
    return [own, peers].some((replies) => new Set(replies.map(({ body }) => body.error)).size > 1);
  }
  if (theirs.body.data!.resultType !== ours.body.data!.resultType) return false;
  const ranks = /^[\s(]*(topk|bottomk)\b/i.test(question.text);
  if (!(ranks && sameValues(theirs.body.data!, ours.body.data!, CLOSE))) {
    const cells = ({ body }: Reply) => roundedLabels(cellsOf(body.data!));
    const [a, b] = [theirs, ours].map((reply) =>
      [own, peers].reduce((stable, replies) => stableCells(stable, replies.map(cells)), cells(reply)),
    );
    if (compareCells(a!, b!, CLOSE) !== undefined) return false;
  }
  return (['warnings', 'infos'] as const).every((field) => {
    const [x, y] = [peers, own].map((replies) => replies.map((reply) => remarksOf(reply, field, rules)));
    return isIn(always(x!), y!) && isIn(always(y!), x!);
  });
}

/** count_values makes labels of values, whose last digits may be by chance. */
function roundedLabels(cells: Cells): Cells {
  const short = (number: string) => String(Number(Number(number).toPrecision(10)));
  const round = (key: string) =>
    key.replace(/\d+(?:\.\d+)?/g, (number) => (number.length > 12 ? short(number) : number));
  return new Map([...cells].map(([key, points]) => [round(key), points]));
}

function always(remarks: readonly (readonly string[])[]): string[] {
  return remarks[0]!.filter((text) => remarks.every((others) => others.includes(text)));
}

function isIn(texts: readonly string[], remarks: readonly (readonly string[])[]): boolean {
  return texts.every((text) => remarks.some((others) => others.includes(text)));
}
