// Expressions of command lines.

import type { Expr } from '../../promql/syntax/ast.js';
import { ParseError } from '../../promql/syntax/errors.js';
import { parseExpr } from '../../promql/syntax/parse.js';
import { queryFeatures } from '../features.js';
import { pointAt } from '../tool/caret.js';
import { SaidFailure, type ToolWorld } from '../tool/command.js';

/** Promtool does these on request alone. Says so, and throws SaidFailure. */
export function needExperimental({ warn }: ToolWorld, isExperimental: boolean): void {
  if (isExperimental) return;
  warn('This command is experimental and requires the --experimental flag to be set.');
  throw new SaidFailure('an experiment');
}

/** Says what is wrong, to people with the place, and throws SaidFailure. */
export function parseQuery(world: ToolWorld, text: string, features: readonly string[]): Expr {
  try {
    return parseExpr(text, queryFeatures(features).parse);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    world.warn(error.message);
    if (world.isWatched) for (const line of pointAt(text, error)) world.warn(line);
    throw new SaidFailure('no expression');
  }
}
