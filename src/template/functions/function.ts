// What a function or method of a template is.

import type { Budget } from '../budget.js';
import type { Tree } from '../syntax/tree.js';
import type { Value } from '../value.js';

/**
 * What a parameter takes, as Go names the type. `value` takes all; `any` as well, but turns a missing
 * value into none, which matters to what messages say only.
 */
export type ParameterType =
  | 'any'
  | 'value'
  | 'string'
  | 'int'
  | 'int64'
  | 'float64'
  | 'time.Duration'
  | 'time.Time'
  | 'template.queryResult'
  | '*template.sample';

/** What functions see of where they run. */
export interface Surroundings {
  readonly budget: Budget;
  /** When the template is expanded; wall-clock ms. */
  readonly nowMs: number;
  /** Without a slash at its end. */
  readonly externalUrl: string;
  /** Asks for an instant vector; the answer is a list of samples. */
  query(expr: string): Evaluation<Value>;
  /** What a template makes of a value, for `tmpl`, which consoles have only. Throws CallFault. */
  render(name: string, value: Value): Evaluation<string>;
}

/** What is asked of the world while a template runs. */
export interface Question {
  readonly expr: string;
}

/** A part of a run: it stops at questions and goes on with their answers. */
export type Evaluation<T> = Generator<Question, T, Value>;

export interface TemplateFunction {
  readonly parameters: readonly ParameterType[];
  /** Of all further arguments; undefined where there may be none. */
  readonly rest?: ParameterType;
  /** Results in Go, where templates allow one only: a call is an error. */
  readonly results?: number;
  /** Throws CallFault for what the user did wrong. */
  readonly call: (args: readonly Value[], around: Surroundings) => Value | Evaluation<Value>;
}

/** Thrown by functions; `error calling f: …`. */
export class CallFault extends Error {
  override readonly name = 'CallFault';
}

/** Templates that a text may call. */
export type TreeSet = ReadonlyMap<string, Tree>;

export function isEvaluation(result: Value | Evaluation<Value>): result is Evaluation<Value> {
  return typeof result === 'object' && 'next' in result;
}
