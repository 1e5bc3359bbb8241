// Console templates: pages of files, with HTML escaping, that may ask queries.

import type { Labels } from '../../model/labels.js';
import { pairsOf } from '../../model/labels.js';
import { quote } from '../../model/quote.js';
import { Budget, BudgetFault } from '../budget.js';
import { Evaluator } from '../evaluate.js';
import { answered, FUNCTIONS, QUERY_UNITS, TemplateFault, type TemplateSample } from '../expand.js';
import { CallFault, type Evaluation, type Surroundings, type TemplateFunction } from '../functions/function.js';
import { ExecFault, Output, placeOf } from '../run.js';
import { isEmptyTree, PLACE, parseTemplate, SyntaxFault } from '../syntax/parse.js';
import type { ActionNode, Node, TemplateNode, Tree } from '../syntax/tree.js';
import { Dict, Html, List, Struct, type Value } from '../value.js';
import { HtmlContext } from './context.js';

export interface ConsoleContext {
  /** The path below /consoles. */
  readonly path: string;
  /** Of the URL, in order. */
  readonly params: readonly (readonly [name: string, value: string])[];
  readonly externalLabels: Labels;
  /** Without a slash at its end. */
  readonly externalUrl: string;
  readonly timeMs: number;
  readonly query: (expr: string, atMs: number) => Promise<readonly TemplateSample[]>;
}

/** A file of templates that all pages may use. */
export interface ConsoleLibrary {
  readonly name: string;
  readonly text: string;
}

const VARIABLES =
  '{{$rawParams := .RawParams }}{{$params := .Params}}{{$path := .Path}}{{$externalLabels := .ExternalLabels}}';

const CONSOLE_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ...FUNCTIONS,
  [
    'tmpl',
    {
      parameters: ['string', 'any'],
      *call([name, value], around): Evaluation<Value> {
        return new Html(yield* around.render(name as string, value));
      },
    },
  ],
]);

/** The page that a template makes. Rejects with a TemplateFault in Prometheus's words. */
export async function expandConsole(
  text: string,
  libraries: readonly ConsoleLibrary[],
  context: ConsoleContext,
): Promise<string> {
  const name = `__console_/${context.path}`;
  const { main, trees } = parseAll(text, libraries, name);
  checkCalls(main, trees, name);
  try {
    return await answered(run(main, trees, name, context), context);
  } catch (error) {
    if (error instanceof ExecFault) throw new TemplateFault(`error executing template ${name}: ${error.message}`);
    if (!(error instanceof BudgetFault)) throw error;
    throw new TemplateFault(`error executing template ${name}: template: ${name}: ${error.message}`);
  }
}

/** The page's own templates, then those of libraries: of several of one name the last that is not empty counts. */
function parseAll(text: string, libraries: readonly ConsoleLibrary[], name: string) {
  const isFunction = (word: string) => CONSOLE_FUNCTIONS.has(word);
  const trees = new Map<string, Tree>();
  const add = (tree: Tree) => {
    if (!isEmptyTree(tree) || !trees.has(tree.name)) trees.set(tree.name, tree);
  };
  const read = (source: { name: string | undefined; text: string }, prefix: string) => {
    try {
      const { main, defined } = parseTemplate(source, isFunction);
      for (const tree of defined.values()) add(tree);
      return main;
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error;
      const shown = source.name ?? name;
      const message = error.message.replaceAll(PLACE, () => shown);
      throw new TemplateFault(`${prefix} ${name}: template: ${shown}:${error.line}: ${message}`);
    }
  };
  const main = read({ name: undefined, text: VARIABLES + text }, 'error parsing template');
  for (const library of libraries) add({ ...read(library, 'error parsing template files for'), name: library.name });
  return { main, trees };
}

/** That every template is there which those that are used call. Throws a TemplateFault. */
function checkCalls(main: Tree, trees: ReadonlyMap<string, Tree>, name: string): void {
  const seen = new Set([main]);
  for (const tree of seen) {
    for (const call of callsIn(tree.body)) {
      const found = trees.get(call.name);
      if (found !== undefined) seen.add(found);
      else {
        const where = placeOf(tree.source, call.at, name);
        throw new TemplateFault(
          `error executing template ${name}: html/template:${where}: no such template ${quote(call.name)}`,
        );
      }
    }
  }
}

function callsIn(nodes: readonly Node[]): TemplateNode[] {
  return nodes.flatMap((node): TemplateNode[] => {
    if (node.kind === 'template') return [node];
    return 'body' in node ? [...callsIn(node.body), ...callsIn(node.otherwise ?? [])] : [];
  });
}

function* run(main: Tree, trees: ReadonlyMap<string, Tree>, name: string, context: ConsoleContext): Evaluation<string> {
  const budget = new Budget();
  /** One text of its own: the page, or what `tmpl` puts into it. */
  function* render(tree: Tree, dot: Value, depth: number): Evaluation<string> {
    const place = new HtmlContext();
    const output = new Output(budget, (text) => place.advance(text));
    const around: Surroundings = {
      budget,
      nowMs: context.timeMs,
      externalUrl: context.externalUrl,
      *query(expr) {
        budget.spend(QUERY_UNITS);
        const answer = yield { expr };
        budget.spend((answer as List).items.length);
        return answer;
      },
      *render(wanted, value) {
        const found = trees.get(wanted);
        if (found === undefined) throw new CallFault(`html/template: "${wanted}" is undefined`);
        if (depth >= TMPL_DEPTH_MAX) throw new CallFault('templates are nested too deeply');
        return yield* render(found, value, depth + 1);
      },
    };
    const show = (node: Node, value: Value) =>
      budget.text(place.escape(isEscaped(node as ActionNode) && typeof value === 'string' ? new Html(value) : value));
    const program = { trees, functions: CONSOLE_FUNCTIONS, budget, around, show };
    yield* new Evaluator(program, output).run(tree, name, dot);
    return output.text;
  }
  return yield* render(main, dataOf(context), 0);
}

/** Templates by `tmpl` in one another. */
const TMPL_DEPTH_MAX = 50;

/** Whether the last thing an action does is to escape: it is not done twice. */
function isEscaped({ pipe }: ActionNode): boolean {
  const first = pipe.commands.at(-1)!.operands[0]!;
  return first.kind === 'identifier' && first.name === 'html';
}

function dataOf({ params, path, externalLabels }: ConsoleContext): Value {
  const raw = new Map<string, Value[]>();
  for (const [name, value] of params) raw.set(name, [...(raw.get(name) ?? []), value]);
  const lists = new Map<string, Value>([...raw].map(([name, values]) => [name, new List(values, '[]string')]));
  const firsts = new Map<string, Value>([...raw].map(([name, values]) => [name, values[0]]));
  const fields = new Map<string, Value>([
    ['RawParams', new Dict(lists, '[]string')],
    ['Params', new Dict(firsts, 'string')],
    ['Path', path],
    ['ExternalLabels', new Dict(new Map(pairsOf(externalLabels)), 'string')],
  ]);
  return new Struct(DATA_TYPE, false, fields);
}

const DATA_TYPE =
  'struct { RawParams url.Values; Params map[string]string; Path string; ExternalLabels map[string]string }';
