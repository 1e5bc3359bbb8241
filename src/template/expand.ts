// Templates of alerts: labels and annotations with `{{ … }}` in them.
//
// A template that fails is no error of its rule: the text says what was wrong, as
// Prometheus has it, so that the alert still reaches somebody.

import type { FloatHistogram } from '../model/histogram.js';
import { type Labels, pairsOf } from '../model/labels.js';
import { Budget, BudgetFault } from './budget.js';
import { Evaluator } from './evaluate.js';
import { BUILTINS } from './functions/builtins.js';
import { CallFault, type Evaluation, type Surroundings, type TemplateFunction } from './functions/function.js';
import { NUMBER_FUNCTIONS } from './functions/numbers.js';
import { QUERY_FUNCTIONS } from './functions/queries.js';
import { STRING_FUNCTIONS } from './functions/strings.js';
import type { TemplateMetrics } from './metrics.js';
import { ExecFault, Output } from './run.js';
import { type Parsed, PLACE, parseTemplate, SyntaxFault } from './syntax/parse.js';
import { printed } from './text/printed.js';
import { Dict, List, Struct, sampleOf, type Value } from './value.js';

export interface TemplateSample {
  readonly labels: Labels;
  readonly value: number | FloatHistogram;
}

export interface TemplateContext {
  /** Of the alert. */
  readonly name: string;
  /** Of the series that the alert is about. */
  readonly labels: Labels;
  readonly externalLabels: Labels;
  /** Where users find this server: without a slash at its end. */
  readonly externalUrl: string;
  readonly value: number | FloatHistogram;
  /** When the rule is evaluated; wall-clock ms. */
  readonly timeMs: number;
  /** An instant query; its errors are the template's. */
  readonly query: (expr: string, atMs: number) => Promise<readonly TemplateSample[]>;
  /** Told why, where the text becomes a message. */
  readonly failed?: (reason: string) => void;
  readonly metrics?: TemplateMetrics;
}

/** Thrown for templates that cannot be expanded; its message is Prometheus's. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault';
}

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({ ...BUILTINS, ...NUMBER_FUNCTIONS, ...STRING_FUNCTIONS, ...QUERY_FUNCTIONS }),
);

/** What the templates of alerts know by a name of its own. Messages count its characters as well. */
const VARIABLES =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

/** The text that a template makes, or `<error expanding template: …>`, which is what rejected queries give, too. */
export async function expandTemplate(text: string, context: TemplateContext): Promise<string> {
  if (context.metrics !== undefined) context.metrics.expansions.value++;
  if (!text.includes('{{')) return text;
  try {
    return await expand(text, context);
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    if (context.metrics !== undefined) context.metrics.failures.value++;
    context.failed?.(error.message);
    return `<error expanding template: ${error.message}>`;
  }
}

/** What is wrong with a template that nobody has run yet; undefined where nothing is. */
export function checkTemplate(text: string, alertName: string): string | undefined {
  if (!text.includes('{{')) return undefined;
  const parsed = parsedTemplate(text);
  return parsed instanceof SyntaxFault ? messageOf(parsed, `__alert_${alertName}`) : undefined;
}

/** The names of all functions. */
export function functionNames(): readonly string[] {
  return [...FUNCTIONS.keys()];
}

async function expand(text: string, context: TemplateContext): Promise<string> {
  const name = `__alert_${context.name}`;
  const parsed = parsedTemplate(text);
  if (parsed instanceof SyntaxFault) {
    throw new TemplateFault(`error parsing template ${name}: ${messageOf(parsed, name)}`);
  }
  try {
    return await answered(run(parsed, name, context), context);
  } catch (error) {
    if (error instanceof ExecFault) throw new TemplateFault(`error executing template ${name}: ${error.message}`);
    if (!(error instanceof BudgetFault)) throw error;
    throw new TemplateFault(`error executing template ${name}: template: ${name}: ${error.message}`);
  }
}

function* run(parsed: Parsed, name: string, context: TemplateContext): Evaluation<string> {
  const budget = new Budget();
  const output = new Output(budget);
  const around = surroundings(budget, context);
  const program = {
    trees: parsed.defined,
    functions: FUNCTIONS,
    budget,
    around,
    show: (_: unknown, value: Value) => budget.text(printed(value)),
  };
  yield* new Evaluator(program, output).run(parsed.main, name, dataOf(context));
  return output.text;
}

/** Runs to the end: asks what the run asks. */
export async function answered(
  run: Evaluation<string>,
  { query, timeMs }: Pick<TemplateContext, 'query' | 'timeMs'>,
): Promise<string> {
  let step = run.next();
  while (!step.done) {
    const answer = await query(step.value.expr, timeMs).then(listOf, faultOf);
    step = answer instanceof CallFault ? run.throw(answer) : run.next(answer);
  }
  return step.value;
}

function faultOf(error: unknown): CallFault {
  return new CallFault(error instanceof Error ? error.message : String(error));
}

// ---- Data

const DATA_TYPE =
  'struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }';

function dataOf({ labels, externalLabels, externalUrl, value }: TemplateContext): Value {
  const fields = new Map<string, Value>([
    ['Labels', new Dict(new Map(pairsOf(labels)), 'string')],
    ['ExternalLabels', new Dict(new Map(pairsOf(externalLabels)), 'string')],
    ['ExternalURL', externalUrl],
    ['Value', value],
  ]);
  return new Struct(DATA_TYPE, false, fields);
}

function listOf(samples: readonly TemplateSample[]): List {
  const items = samples.map(({ labels, value }) => sampleOf(new Map(pairsOf(labels)), value));
  return new List(items, 'template.queryResult');
}

function surroundings(budget: Budget, { timeMs, externalUrl }: TemplateContext): Surroundings {
  return {
    budget,
    nowMs: timeMs,
    externalUrl,
    *query(expr) {
      budget.spend(QUERY_UNITS);
      const answer = yield { expr };
      budget.spend((answer as List).items.length);
      return answer;
    },
    // Alerts have no `tmpl`.
    render: () => {
      throw new CallFault('no templates');
    },
  };
}

/** Queries of one template: a thousand, with what else it does. */
export const QUERY_UNITS = 1000;

// ---- Texts that were read

/** Rules expand the same texts again and again. */
const PARSED_MAX = 2000;
const PARSED_CHARACTERS_MAX = 64 << 10;
/** Far more than anybody writes. */
const TEXT_CHARACTERS_MAX = 1 << 20;

const known = new Map<string, Parsed | SyntaxFault>();

/** The longest unused are forgotten first. */
function parsedTemplate(text: string): Parsed | SyntaxFault {
  const found = known.get(text);
  if (found !== undefined) known.delete(text);
  const parsed = found ?? read(text);
  if (text.length <= PARSED_CHARACTERS_MAX) known.set(text, parsed);
  if (known.size > PARSED_MAX) known.delete(known.keys().next().value!);
  return parsed;
}

function read(text: string): Parsed | SyntaxFault {
  if (text.length > TEXT_CHARACTERS_MAX) return new SyntaxFault('the template is too long', 1);
  try {
    return parseTemplate({ name: undefined, text: VARIABLES + text }, (name) => FUNCTIONS.has(name));
  } catch (error) {
    if (error instanceof SyntaxFault) return error;
    throw error;
  }
}

function messageOf({ message, line }: SyntaxFault, name: string): string {
  return `template: ${name}:${line}: ${message.replaceAll(PLACE, () => name)}`;
}
