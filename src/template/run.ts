// One expansion under way: variables, the node that messages are about, what is written.

import { quote } from '../model/quote.js';
import { type Budget, BudgetFault, OUTPUT_CHARACTERS_MAX } from './budget.js';
import { type AnyNode, formatNode, type Source, type Tree } from './syntax/tree.js';
import type { Value } from './value.js';

/** Thrown where a template cannot go on: `template: t:1:3: executing "t" at <.x>: …`. */
export class ExecFault extends Error {
  override readonly name = 'ExecFault';
}

interface Variable {
  readonly name: string;
  value: Value;
}

export class Frame {
  readonly tree: Tree;
  /** What messages call the text that is expanded. */
  readonly name: string;
  readonly depth: number;
  readonly #variables: Variable[];
  #node: AnyNode | undefined;

  constructor(tree: Tree, name: string, depth: number, dot: Value) {
    this.tree = tree;
    this.name = name;
    this.depth = depth;
    this.#variables = [{ name: '$', value: dot }];
  }

  /** What messages are about from now on. */
  at(node: AnyNode): void {
    this.#node = node;
  }

  fail(message: string): never {
    throw new ExecFault(this.#message(message));
  }

  #message(message: string): string {
    const { source, name } = this.tree;
    const own = name === '' ? this.name : name;
    if (this.#node === undefined) return `template: ${own}: ${message}`;
    const where = placeOf(source, this.#node.at, this.name);
    return `template: ${where}: executing ${quote(own)} at <${formatNode(this.#node)}>: ${message}`;
  }

  // ---- Variables

  get mark(): number {
    return this.#variables.length;
  }

  release(mark: number): void {
    this.#variables.length = mark;
  }

  declare(name: string, value: Value): void {
    this.#variables.push({ name, value });
  }

  assign(name: string, value: Value): void {
    this.#variable(name).value = value;
  }

  read(name: string): Value {
    return this.#variable(name).value;
  }

  /** The variable that was declared so many before the end; the last is the first. */
  setLast(back: number, value: Value): void {
    this.#variables[this.#variables.length - back]!.value = value;
  }

  #variable(name: string): Variable {
    return this.#variables.findLast((variable) => variable.name === name) ?? this.fail(`undefined variable: ${name}`);
  }
}

/** `name:line:bytes`, as messages say where something is; `name` for a source that has none. */
export function placeOf(source: Source, at: number, name: string): string {
  const before = source.text.slice(0, at);
  const start = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return `${source.name ?? name}:${line}:${Buffer.byteLength(before.slice(start))}`;
}

/** What is written, up to a limit. */
export class Output {
  readonly #pieces: string[] = [];
  readonly #budget: Budget;
  readonly #keep: (text: string) => string;
  #length = 0;

  /** `keep` sees all that is written, in order, and says what of it stays. */
  constructor(budget: Budget, keep: (text: string) => string = (text) => text) {
    this.#budget = budget;
    this.#keep = keep;
  }

  /** Throws BudgetFault. */
  write(text: string): void {
    this.#length += text.length;
    if (this.#length > OUTPUT_CHARACTERS_MAX) throw new BudgetFault('the text that the template makes is too long');
    this.#budget.spend(1);
    this.#pieces.push(this.#keep(text));
  }

  get text(): string {
    return this.#pieces.join('');
  }
}
