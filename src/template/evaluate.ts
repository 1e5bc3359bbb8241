// Running a template: trees and data become text.
//
// All of it is generators: a run stops at each query and goes on with its answer. The
// order in which frame.at() is called is Go's, because messages name the node where it
// was last: `executing "t" at <.x>`.

import type { Budget } from './budget.js';
import { checked, literalFor, valueOf } from './call.js';
import { fieldOf } from './fields.js';
import {
  CallFault,
  type Evaluation,
  isEvaluation,
  type ParameterType,
  type Surroundings,
  type TemplateFunction,
  type TreeSet,
} from './functions/function.js';
import { Frame, type Output } from './run.js';
import {
  type AnyNode,
  type BranchNode,
  type CommandNode,
  formatNode,
  type Node,
  type Operand,
  type PipeNode,
  type TemplateNode,
  type Tree,
} from './syntax/tree.js';
import { printed } from './text/printed.js';
import { Dict, Int, isTrue, List, type Value } from './value.js';

/** Calls of templates in one another: Go allows more than the stack here. */
const DEPTH_MAX = 250;

/** Instead of an argument: there is none. Undefined is a value. */
const NONE = Symbol('none');
type Final = Value | typeof NONE;

/** What a list of nodes ends with: what is around it in a loop may have to stop. */
type Leaving = 'break' | 'continue' | undefined;

export interface Program {
  readonly trees: TreeSet;
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly budget: Budget;
  readonly around: Surroundings;
  /** What a value looks like where an action prints it. */
  readonly show: (node: Node, text: Value) => string;
}

export class Evaluator {
  readonly #program: Program;
  readonly #output: Output;

  constructor(program: Program, output: Output) {
    this.#program = program;
    this.#output = output;
  }

  /** Throws ExecFault, BudgetFault. `name` is what messages call the text. */
  *run(tree: Tree, name: string, dot: Value, depth = 0): Evaluation<void> {
    yield* this.#list(new Frame(tree, name, depth, dot), dot, tree.body);
  }

  // ---- Nodes

  *#list(frame: Frame, dot: Value, nodes: readonly Node[]): Evaluation<Leaving> {
    for (const node of nodes) {
      const leaving = yield* this.#node(frame, dot, node);
      if (leaving !== undefined) return leaving;
    }
    return undefined;
  }

  *#node(frame: Frame, dot: Value, node: Node): Evaluation<Leaving> {
    frame.at(node);
    this.#program.budget.spend(1);
    switch (node.kind) {
      case 'text':
        this.#output.write(node.text);
        return undefined;
      case 'action': {
        const value = yield* this.#pipeline(frame, dot, node.pipe);
        if (node.pipe.variables.length > 0) return undefined;
        frame.at(node);
        this.#output.write(this.#program.show(node, value));
        return undefined;
      }
      case 'template':
        yield* this.#template(frame, dot, node);
        return undefined;
      case 'range':
        yield* this.#range(frame, dot, node);
        return undefined;
      case 'if':
      case 'with':
        return yield* this.#branch(frame, dot, node);
      case 'break':
      case 'continue':
        return node.kind;
    }
  }

  *#branch(frame: Frame, dot: Value, node: BranchNode): Evaluation<Leaving> {
    const mark = frame.mark;
    const value = yield* this.#pipeline(frame, dot, node.pipe);
    let leaving: Leaving;
    if (isTrue(value)) leaving = yield* this.#list(frame, node.kind === 'with' ? value : dot, node.body);
    else if (node.otherwise !== undefined) leaving = yield* this.#list(frame, dot, node.otherwise);
    frame.release(mark);
    return leaving;
  }

  *#range(frame: Frame, dot: Value, node: BranchNode): Evaluation<void> {
    const outer = frame.mark;
    const value = yield* this.#pipeline(frame, dot, node.pipe);
    const mark = frame.mark;
    let isEmpty = true;
    for (const [index, element] of elementsOf(frame, value, node.pipe)) {
      isEmpty = false;
      this.#program.budget.spend(1);
      setLoopVariables(frame, node.pipe, index, element);
      const leaving = yield* this.#list(frame, element, node.body);
      frame.release(mark);
      if (leaving === 'break') break;
    }
    if (isEmpty && node.otherwise !== undefined) yield* this.#list(frame, dot, node.otherwise);
    frame.release(outer);
  }

  *#template(frame: Frame, dot: Value, node: TemplateNode): Evaluation<void> {
    const tree = this.#program.trees.get(node.name);
    if (tree === undefined) frame.fail(`template ${JSON.stringify(node.name)} not defined`);
    if (frame.depth >= DEPTH_MAX) frame.fail(`exceeded maximum template depth (${DEPTH_MAX})`);
    const value = node.pipe === undefined ? undefined : yield* this.#pipeline(frame, dot, node.pipe);
    yield* this.run(tree, frame.name, value, frame.depth + 1);
  }

  // ---- Pipelines

  *#pipeline(frame: Frame, dot: Value, pipe: PipeNode): Evaluation<Value> {
    frame.at(pipe);
    let value: Final = NONE;
    for (const command of pipe.commands) value = yield* this.#command(frame, dot, command, value);
    const result = value === NONE ? undefined : value;
    for (const name of pipe.variables) {
      if (pipe.assigns) frame.assign(name, result);
      else frame.declare(name, result);
    }
    return result;
  }

  *#command(frame: Frame, dot: Value, command: CommandNode, final: Final): Evaluation<Value> {
    const { operands } = command;
    const first = operands[0]!;
    this.#program.budget.spend(1);
    switch (first.kind) {
      case 'identifier':
        frame.at(first);
        return yield* this.#function(frame, dot, first.name, command, operands.slice(1), final);
      case 'field':
      case 'variable':
      case 'chain':
        return yield* this.#fields(frame, dot, first, operands, final);
      case 'pipe':
        refuseArguments(frame, operands, final);
        return yield* this.#pipeline(frame, dot, first);
    }
    frame.at(first);
    refuseArguments(frame, operands, final);
    return first.kind === 'dot' ? dot : valueOf(frame, first);
  }

  /** `.a.b`, `$x.a.b`, `(…).a.b`: the last of the path may be a method, which gets the arguments. */
  *#fields(
    frame: Frame,
    dot: Value,
    node: Extract<Operand, { kind: 'field' | 'variable' | 'chain' }>,
    operands: readonly Operand[],
    final: Final,
  ): Evaluation<Value> {
    frame.at(node);
    let value = node.kind === 'variable' ? frame.read(node.name) : dot;
    if (node.kind === 'chain') {
      if (node.of.kind === 'nil') frame.fail(`indirection through explicit nil in ${formatNode(node)}`);
      value = yield* this.#argument(frame, dot, 'any', node.of);
    }
    if (node.path.length === 0) {
      refuseArguments(frame, operands, final);
      return value;
    }
    let declared: string | undefined;
    for (const [index, name] of node.path.entries()) {
      const isLast = index === node.path.length - 1;
      const found = fieldOf(frame, value, name, declared);
      if ('method' in found) {
        const args = isLast ? operands.slice(1) : [];
        value = yield* this.#call(frame, dot, found.method, node, name, args, isLast ? final : NONE);
        declared = undefined;
        continue;
      }
      if (isLast && (operands.length > 1 || final !== NONE)) {
        frame.fail(
          found.of === 'struct'
            ? `${name} has arguments but cannot be invoked as function`
            : `${name} is not a method but has arguments`,
        );
      }
      value = found.value;
      declared = found.declared;
    }
    return value;
  }

  // ---- Calls

  *#function(
    frame: Frame,
    dot: Value,
    name: string,
    node: AnyNode,
    operands: readonly Operand[],
    final: Final,
  ): Evaluation<Value> {
    const called = this.#program.functions.get(name);
    if (called === undefined) frame.fail(`${JSON.stringify(name)} is not a defined function`);
    if (name !== 'and' && name !== 'or') return yield* this.#call(frame, dot, called, node, name, operands, final);
    checkCount(frame, called, name, operands.length, final !== NONE);
    let value: Value;
    for (const operand of operands) {
      value = yield* this.#argument(frame, dot, 'value', operand);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return final === NONE ? value : final;
  }

  *#call(
    frame: Frame,
    dot: Value,
    called: TemplateFunction,
    node: AnyNode,
    name: string,
    operands: readonly Operand[],
    final: Final,
  ): Evaluation<Value> {
    checkCount(frame, called, name, operands.length, final !== NONE);
    const results = called.results ?? 1;
    if (results > 2) frame.fail(`function ${name} has ${results} return values; should be 1 or 2`);
    if (results === 2)
      frame.fail(`invalid function signature for ${name}: second return value should be error; is int`);
    const args: Value[] = [];
    for (const operand of operands) {
      args.push(yield* this.#argument(frame, dot, parameterAt(called, args.length), operand));
    }
    if (final !== NONE) args.push(checked(frame, final, parameterAt(called, args.length)));
    try {
      const result = called.call(args, this.#program.around);
      return isEvaluation(result) ? yield* result : result;
    } catch (error) {
      if (!(error instanceof CallFault)) throw error;
      frame.at(node);
      return frame.fail(`error calling ${name}: ${error.message}`);
    }
  }

  *#argument(frame: Frame, dot: Value, type: ParameterType, node: Operand): Evaluation<Value> {
    frame.at(node);
    this.#program.budget.spend(1);
    switch (node.kind) {
      case 'dot':
        return checked(frame, dot, type);
      case 'field':
      case 'variable':
      case 'chain':
        return checked(frame, yield* this.#fields(frame, dot, node, [node], NONE), type);
      case 'pipe':
        return checked(frame, yield* this.#pipeline(frame, dot, node), type);
      case 'identifier':
        return checked(frame, yield* this.#function(frame, dot, node.name, node, [], NONE), type);
      default:
        return literalFor(frame, node, type);
    }
  }
}

function refuseArguments(frame: Frame, operands: readonly Operand[], final: Final): void {
  if (operands.length <= 1 && final === NONE) return;
  frame.fail(`can't give argument to non-function ${formatNode(operands[0]!)}`);
}

function parameterAt({ parameters, rest }: TemplateFunction, index: number): ParameterType {
  return parameters[index] ?? rest ?? 'any';
}

function checkCount(frame: Frame, called: TemplateFunction, name: string, count: number, hasFinal: boolean): void {
  const { parameters, rest } = called;
  const given = count + (hasFinal ? 1 : 0);
  if (rest !== undefined) {
    if (given < parameters.length) {
      frame.fail(`wrong number of args for ${name}: want at least ${parameters.length} got ${count}`);
    }
  } else if (given !== parameters.length) {
    frame.fail(`wrong number of args for ${name}: want ${parameters.length} got ${given}`);
  }
}

// ---- Loops

/** What `range` goes over: elements with their indices or keys. */
function elementsOf(frame: Frame, value: Value, pipe: PipeNode): Iterable<readonly [index: Value, element: Value]> {
  if (value === undefined) return [];
  if (value instanceof List) return value.items.map((item, index) => [new Int(index), item] as const);
  if (value instanceof Dict) return sortedEntries(value);
  if (value instanceof Int) {
    if (pipe.variables.length > 1) frame.fail(`can't use ${value.value} to iterate over more than one variable`);
    return countTo(value);
  }
  return frame.fail(`range can't iterate over ${printed(value)}`);
}

function sortedEntries({ entries }: Dict): (readonly [Value, Value])[] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

function* countTo({ value, type }: Int): Generator<readonly [Value, Value]> {
  for (let i = 0n; i < value; i++) yield [undefined, new Int(i, type)];
}

/** Of one variable it is the element, of two the first is the index. */
function setLoopVariables(frame: Frame, { variables, assigns }: PipeNode, index: Value, element: Value): void {
  const [first, second] = variables;
  if (first === undefined) return;
  if (assigns) {
    frame.assign(first, second === undefined ? element : index);
    if (second !== undefined) frame.assign(second, element);
    return;
  }
  frame.setLast(1, element);
  if (second !== undefined) frame.setLast(2, index);
}
