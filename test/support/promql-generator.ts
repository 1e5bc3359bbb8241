// Random PromQL from a seed: mostly well-typed expressions over the grammar of
// Prometheus 3.5, and versions of them with a few tokens changed, most of which are
// wrong in some way.
//
// Left out is what 3.5 reads or prints otherwise than newer versions: step() and
// parentheses around a single number in durations, quoted labels in on (…) and
// ignoring (…), and group_left after an empty ignoring (). What is damaged may still have
// some of it: see isNewer().

import type { Prng } from '../../src/base/prng.js';
import type { FunctionSignature } from '../../src/promql/functions.js';
import type { ValueType } from '../../src/promql/syntax/ast.js';

const NAMES = ['a', 'up', 'a:b', 'sum', 'by', 'offset', 'start', 'step', 'x_1', 'without', 'Min', 'and'];
const PLAIN_LABELS = ['job', 'instance', 'le', 'by', 'on', 'bool', 'OFFSET'];
const LABELS = [...PLAIN_LABELS, '"a.b"', '"é"'];
const STRINGS = ['"x"', "'y z'", '`\\d+`', '"\\t\\x41\\u00e9"', '""', '"a|b"', "'\\''"];
const PATTERNS = ['"a.*"', '".*"', '".+"', '"a|b|"', '"(a|b)[0-9]+"', '"("', '"[z-a]"', '`\\d`', '"^x$"'];
const NUMBERS = [
  '0',
  '1',
  '3.14',
  '.5',
  '5.',
  '1e3',
  '1E-3',
  '0x1F',
  '017',
  '08',
  '1_000',
  'Inf',
  'nan',
  '1e400',
  '0x_1',
];
const DURATIONS = ['5m', '1h30m', '90s', '1d', '2w', '1y', '250ms', '0s', '1m30', '1h5y', '7dd', '300', '1.5'];
const AGGREGATES = ['sum', 'avg', 'count', 'min', 'max', 'group', 'stddev', 'stdvar', 'SUM'];
const PARAM_AGGREGATES = ['topk', 'bottomk', 'quantile', 'limitk', 'limit_ratio'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'];
const COMPARISON = ['==', '!=', '<', '<=', '>', '>='];
const SET = ['and', 'or', 'unless', 'AND'];
const NOISE = [
  ...'()[]{},:=+-*^@!<>/%#"$é\n',
  'by',
  'on',
  'bool',
  'offset',
  'group_left',
  'ignoring',
  'a',
  '5m',
  '1',
  '=~',
  '!~',
  '==',
  'and',
  '"s"',
  'start',
  'sum',
  '1e',
  '[5m]',
  '{}',
];

/** Whether Prometheus 3.5 has another idea of the text than newer versions have. */
export function isNewer(text: string): boolean {
  const code = text.replaceAll(COMMENT, '$1');
  return /offset\s*[-+]\s*\(|\b(start|end|step|range|min_of|max_of)\s*\(|\(\s*[\d.]\w*\s*\)/i.test(code);
}

/** Or a string, which stays. */
const COMMENT = /("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|#[^\n]*/g;

export class ExpressionGenerator {
  constructor(
    readonly random: Prng,
    /** The functions to call. */
    readonly functions: readonly FunctionSignature[],
  ) {}

  expression(): string {
    return this.#expr(this.random.pick(['vector', 'vector', 'vector', 'scalar', 'matrix', 'string']), 4);
  }

  /** The text with one to three tokens dropped, doubled, replaced or added. */
  damaged(text: string): string {
    const tokens = text.match(/\s+|[A-Za-z_][\w:]*|[\d.]+\w*|"[^"]*"|./gs) ?? [];
    for (let edits = 1 + this.random.int(3); edits > 0; edits--) {
      const at = this.random.int(tokens.length + 1);
      const noise = this.random.pick(NOISE);
      const edit = this.random.pick([[], [noise], [noise, tokens[at] ?? ''], [tokens[at] ?? '', tokens[at] ?? '']]);
      tokens.splice(at, 1, ...edit);
    }
    return tokens.join('');
  }

  #expr(type: ValueType, depth: number): string {
    // Now and then the wrong type.
    if (this.#one(60)) type = this.random.pick(['vector', 'scalar', 'matrix', 'string']);
    switch (type) {
      case 'string':
        return this.random.pick(STRINGS);
      case 'scalar':
        return this.#scalar(depth);
      case 'matrix':
        return this.#matrix(depth);
      case 'vector':
        return this.#vector(depth);
    }
  }

  #scalar(depth: number): string {
    if (depth <= 0 || this.#one(2)) return this.#one(6) ? this.random.pick(DURATIONS) : this.random.pick(NUMBERS);
    switch (this.random.int(5)) {
      case 0:
        return `(${this.#expr('scalar', depth - 1)})`;
      case 1:
        return this.random.pick(['-', '+', '- ']) + this.#expr('scalar', depth - 1);
      case 2:
        return `scalar(${this.#expr('vector', depth - 1)})`;
      case 3:
        return this.#operation('scalar', 'scalar', depth);
      default:
        return 'time()';
    }
  }

  #matrix(depth: number): string {
    if (depth <= 0 || !this.#one(3)) return `${this.#selector()}[${this.#duration(2)}]${this.#modifiers()}`;
    const inner = this.#expr('vector', depth - 1);
    const step = this.#one(2) ? '' : this.#duration(2);
    return `${this.#one(2) ? inner : `(${inner})`}[${this.#duration(2)}:${step}]${this.#modifiers()}`;
  }

  #vector(depth: number): string {
    if (depth <= 0) return this.#selector() + this.#modifiers();
    switch (this.random.int(8)) {
      case 0:
      case 1:
        return this.#aggregation(depth);
      case 2:
      case 3:
        return this.#call(depth);
      case 4:
        return this.#operation('vector', this.random.pick(['vector', 'vector', 'scalar']), depth);
      case 5:
        return this.#operation(this.random.pick(['vector', 'scalar']), 'vector', depth);
      case 6:
        return this.#one(2) ? `(${this.#expr('vector', depth - 1)})` : `-${this.#expr('vector', depth - 1)}`;
      default:
        return this.#selector() + this.#modifiers();
    }
  }

  #selector(): string {
    const name = this.#one(8) ? '' : this.random.pick(NAMES);
    if (name !== '' && this.#one(2)) return name;
    const matchers = Array.from({ length: this.random.int(4) }, () => this.#matcher());
    return `${name}${this.#space()}{${matchers.join(',')}${matchers.length > 0 && this.#one(6) ? ',' : ''}}`;
  }

  #matcher(): string {
    if (this.#one(12)) return this.random.pick(['"up"', '"with space"', '__name__="q"']);
    const op = this.random.pick(['=', '!=', '=~', '!~']);
    const value = op.includes('~') ? this.random.pick(PATTERNS) : this.random.pick(STRINGS);
    return `${this.random.pick(['job', 'instance', 'le', 'by', '"a.b"'])}${this.#space()}${op}${value}`;
  }

  #modifiers(): string {
    if (!this.#one(3)) return '';
    const duration = this.random.pick(['', '-', '']) + this.random.pick(DURATIONS);
    const offset = ` offset ${this.#one(4) ? `(${duration} - ${this.#duration(1)})` : duration}`;
    const at = ` @ ${this.random.pick(['start()', 'end()', '1', '-1.5', '1e3', '5m', 'Inf', '1603774568'])}`;
    return this.random.pick([offset, at, offset + at, at + offset, offset, at]);
  }

  #duration(depth: number): string {
    if (depth <= 0 || !this.#one(6)) return this.random.pick(DURATIONS);
    const operation = `${this.#duration(depth - 1)} ${this.random.pick(ARITHMETIC.slice(0, 6))} ${this.#duration(depth - 1)}`;
    return this.random.pick([operation, operation, `(${operation})`, `-${this.#duration(depth - 1)}`]);
  }

  #aggregation(depth: number): string {
    const kind = this.random.int(6);
    const [op, param] =
      kind === 0
        ? [this.random.pick(PARAM_AGGREGATES), `${this.#expr('scalar', depth - 1)}, `]
        : kind === 1
          ? ['count_values', `${this.#expr('string', 0)}, `]
          : [this.random.pick(AGGREGATES), ''];
    const body = `(${param}${this.#expr('vector', depth - 1)})`;
    const grouping = ` ${this.random.pick(['by', 'without', 'BY'])}${this.#space()}${this.#labels()} `;
    return this.random.pick([op + body, op + grouping + body, op + body + grouping]);
  }

  #labels(): string {
    const labels = Array.from({ length: this.random.int(4) }, () => this.random.pick(LABELS));
    return `(${labels.join(', ')}${labels.length > 0 && this.#one(8) ? ',' : ''})`;
  }

  #call(depth: number): string {
    const { name, args, variadic } = this.random.pick(this.functions);
    const types = [...args];
    if (variadic !== 0)
      for (let more = this.random.int(3) - 1; more !== 0; more -= Math.sign(more)) {
        if (more < 0) types.pop();
        else types.push(args.at(-1)!);
      }
    return `${name}${this.#space()}(${types.map((type) => this.#expr(type, depth - 1)).join(', ')})`;
  }

  #operation(left: ValueType, right: ValueType, depth: number): string {
    const op = this.random.pick([...ARITHMETIC, ...COMPARISON, ...SET]);
    let modifiers =
      COMPARISON.includes(op) && (left === right && left === 'scalar' ? !this.#one(8) : this.#one(4)) ? ' bool' : '';
    if (left === 'vector' && right === 'vector' && this.#one(2)) {
      const labels = Array.from({ length: 1 + this.random.int(3) }, () => this.random.pick(PLAIN_LABELS)).join(',');
      modifiers += ` ${this.random.pick(['on', 'ignoring'])}(${labels})`;
      if (this.#one(3))
        modifiers += ` ${this.random.pick(['group_left', 'group_right'])}${this.#one(2) ? `(${this.random.pick(PLAIN_LABELS)},)` : ''}`;
    }
    return `${this.#expr(left, depth - 1)} ${op}${modifiers} ${this.#expr(right, depth - 1)}`;
  }

  #space(): string {
    return this.random.pick(['', '', '', ' ', '\n', ' # note\n']);
  }

  /** True once in so many times. */
  #one(times: number): boolean {
    return this.random.int(times) === 0;
  }
}
