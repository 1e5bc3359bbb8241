// The type check: whether every part of an expression gets what it takes, with the
// messages of Prometheus. Syntax comes first: this runs over a complete tree only.
//
// Recursive, since trees are no higher than TREE_HEIGHT_MAX.

import { METRIC_NAME } from '../../model/labels.js';
import { compileMatcher } from '../../model/matcher.js';
import { quote } from '../../model/quote.js';
import { type FunctionSignature, functionOf } from '../functions.js';
import {
  type Aggregate,
  type Binary,
  type Call,
  type Expr,
  isComparison,
  isSetOp,
  PARAM_AGGREGATES,
  type Span,
  typeOf,
  type ValueType,
  type VectorMatching,
  type VectorSelector,
} from './ast.js';
import { ParseError } from './errors.js';

/** What was written at an operator and is not in the tree. */
export interface BinaryNote {
  readonly operator: Span;
  /** Also where the operands are no vectors and it is wrong. */
  readonly matching: VectorMatching;
}

export interface CheckContext {
  readonly text: string;
  readonly notes: ReadonlyMap<Binary, BinaryNote>;
}

/** Throws ParseError at the first mistake, in the order in which Prometheus looks. */
export function checkTypes(expr: Expr, context: CheckContext): void {
  new TypeChecker(context).check(expr);
}

class TypeChecker {
  constructor(readonly context: CheckContext) {}

  check(expr: Expr): ValueType {
    switch (expr.kind) {
      case 'number':
      case 'string':
        break;
      case 'vectorSelector':
        this.#selector(expr, false);
        break;
      case 'matrixSelector':
      case 'paren':
        this.check(expr.kind === 'paren' ? expr.expr : expr.vector);
        break;
      case 'subquery': {
        const type = this.check(expr.expr);
        if (type !== 'vector') this.#fail(`subquery is only allowed on instant vector, got ${type} instead`, expr.pos);
        break;
      }
      case 'unary': {
        const type = this.check(expr.expr);
        if (!isOperandType(type)) {
          const wanted = 'unary expression only allowed on expressions of type scalar or instant vector';
          this.#fail(`${wanted}, got ${quote(documented(type))}`, expr.pos);
        }
        break;
      }
      case 'aggregate':
        this.#aggregate(expr);
        break;
      case 'call':
        this.#call(expr, functionOf(expr.fn)!);
        break;
      case 'binary':
        this.#binary(expr);
        break;
    }
    return typeOf(expr);
  }

  /** At least one condition must not match the empty value, or a typing error would select everything. */
  #selector(selector: VectorSelector, mayMatchAll: boolean): void {
    const { name, matchers, pos } = selector;
    if (name !== '') {
      const other = matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME);
      if (other === undefined) return;
      this.#fail(`metric name must not be set twice: ${quote(name)} or ${quote(other.value)}`, pos);
    }
    if (mayMatchAll || matchers.some((matcher) => !compileMatcher(matcher)(''))) return;
    this.#fail('vector selector must contain at least one non-empty matcher', pos);
  }

  #aggregate(node: Aggregate): void {
    this.#expect(node.expr, 'vector', 'aggregation expression');
    if (!PARAM_AGGREGATES.has(node.op)) return;
    this.#expect(node.param!, node.op === 'count_values' ? 'string' : 'scalar', 'aggregation parameter');
  }

  #call(node: Call, signature: FunctionSignature): void {
    this.#arity(node, signature);
    const selector = signature.name === 'info' ? this.#infoSelector(node) : undefined;
    for (const [index, arg] of node.args.entries()) {
      const wanted = signature.args[Math.min(index, signature.args.length - 1)]!;
      if (arg === selector) this.#selector(selector, true);
      else this.#expect(arg, wanted, `call to function ${quote(signature.name)}`);
    }
  }

  #arity(node: Call, { name, args, variadic }: FunctionSignature): void {
    const got = node.args.length;
    const tell = (wanted: string) => {
      this.#fail(`expected ${wanted} argument(s) in call to ${quote(name)}, got ${got}`, node.pos);
    };
    if (variadic === 0) {
      if (got !== args.length) tell(String(args.length));
      return;
    }
    const least = args.length - 1;
    if (got < least) tell(`at least ${least}`);
    if (variadic > 0 && got > least + variadic) tell(`at most ${least + variadic}`);
  }

  /** The second argument of info() is no vector but conditions on labels, which may match everything. */
  #infoSelector(node: Call): VectorSelector | undefined {
    const selector = node.args[1];
    if (selector === undefined) return undefined;
    const type = typeOf(selector);
    if (type !== 'vector') {
      this.#fail(`expected type instant vector in call to function "info", got ${documented(type)}`, node.pos);
    }
    if (selector.kind !== 'vectorSelector') return this.#fail('expected label selectors only', selector.pos);
    if (selector.name === '') return selector;
    return this.#fail('expected label selectors only, got vector selector instead', selector.pos);
  }

  #binary(node: Binary): void {
    const types = [this.check(node.left), this.check(node.right)] as const;
    const { operator, matching } = this.context.notes.get(node)!;
    const { op } = node;
    if (node.bool && !isComparison(op)) {
      this.#fail('bool modifier can only be used on comparison operators', operator);
    }
    if (isComparison(op) && !node.bool && types[0] === 'scalar' && types[1] === 'scalar') {
      this.#fail('comparisons between scalars must use BOOL modifier', operator);
    }
    const twice = matching.on && matching.labels.find((label) => matching.include.includes(label));
    if (typeof twice === 'string') {
      this.#fail(`label ${quote(twice)} must not occur in ON and GROUP clause at once`, operator);
    }
    for (const [index, side] of [node.left, node.right].entries()) {
      if (isOperandType(types[index]!)) continue;
      this.#fail('binary expression must contain only scalar and instant vector types', side.pos);
    }
    if (node.matching === undefined) this.#withoutVectors(node, matching);
    else if (isSetOp(op)) this.#setOperator(node, node.matching);
  }

  #withoutVectors(node: Binary, matching: VectorMatching): void {
    if (matching.labels.length > 0) {
      this.#fail('vector matching only allowed between instant vectors', node.pos);
    }
    if (hasFill(matching)) {
      this.#fail('filling in missing series only allowed between instant vectors', node.pos);
    }
    // One side at least is a scalar.
    if (isSetOp(node.op))
      this.#fail(`set operator ${quote(node.op)} not allowed in binary scalar expression`, node.pos);
  }

  #setOperator(node: Binary, matching: VectorMatching): void {
    if (matching.card !== 'many-to-many') this.#fail(`no grouping allowed for ${quote(node.op)} operation`, node.pos);
    if (hasFill(matching)) this.#fail('filling in missing series not allowed for set operators', node.pos);
  }

  #expect(expr: Expr, wanted: ValueType, where: string): void {
    const type = this.check(expr);
    if (type === wanted) return;
    this.#fail(`expected type ${documented(wanted)} in ${where}, got ${documented(type)}`, expr.pos);
  }

  #fail(reason: string, pos: Span): never {
    throw new ParseError(reason, this.context.text, pos);
  }
}

function isOperandType(type: ValueType): boolean {
  return type === 'scalar' || type === 'vector';
}

function hasFill(matching: VectorMatching): boolean {
  return matching.fillLeft !== undefined || matching.fillRight !== undefined;
}

/** What the documentation calls a type. */
function documented(type: ValueType): string {
  switch (type) {
    case 'vector':
      return 'instant vector';
    case 'matrix':
      return 'range vector';
    default:
      return type;
  }
}
