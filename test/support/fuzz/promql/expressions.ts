// Expressions over the generated series: all of the language that Prometheus 3.5 has,
// mostly such that there is an answer. Now and then an argument has the wrong type.

import type { Prng } from '../../../../src/base/prng.js';
import type { FunctionSignature } from '../../../../src/promql/functions.js';
import type { ValueType } from '../../../../src/promql/syntax/ast.js';
import type { Family, FuzzData } from './data.js';
import { Literals } from './literals.js';
import { Selectors } from './selectors.js';

const AGGREGATES = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '^', 'atan2'];
const COMPARISON = ['==', '!=', '<', '<=', '>', '>='];
const SETS = ['and', 'or', 'unless'];
const LABELS = ['job', 'instance', 'mode', 'code', 'kind', 'le', '__name__', 'version', 'nope', 'by', 'service.name'];
const COUNTER_FUNCTIONS = ['rate', 'increase', 'irate', 'resets'];
const WRONG_ONCE_IN = 150;

/** What the functions that need more than "some vector" are given. */
type Special = (depth: number) => string;

export class Expressions {
  readonly literals: Literals;
  readonly #random: Prng;
  readonly #selectors: Selectors;
  readonly #functions: readonly FunctionSignature[];
  readonly #overRange: readonly FunctionSignature[];
  readonly #special: ReadonlyMap<string, Special>;

  /** `functions` are those that both sides know. */
  constructor(random: Prng, data: FuzzData, functions: readonly FunctionSignature[]) {
    this.#random = random;
    this.literals = new Literals(random);
    this.#selectors = new Selectors(random, data);
    this.#functions = functions;
    this.#overRange = functions.filter(({ args }) => args.includes('matrix'));
    this.#special = new Map<string, Special>([
      ['histogram_quantile', (depth) => `histogram_quantile(${this.#phi(depth)}, ${this.#histograms(depth)})`],
      [
        'histogram_fraction',
        (depth) => `histogram_fraction(${this.#literal()}, ${this.#literal()}, ${this.#histograms(depth)})`,
      ],
      ['quantile_over_time', (depth) => `quantile_over_time(${this.#phi(depth)}, ${this.matrix(depth - 1)})`],
      ['label_replace', (depth) => this.#labelReplace(depth)],
      ['label_join', (depth) => this.#labelJoin(depth)],
      ['sort_by_label', (depth) => this.#sortByLabel('sort_by_label', depth)],
      ['sort_by_label_desc', (depth) => this.#sortByLabel('sort_by_label_desc', depth)],
      ['double_exponential_smoothing', (depth) => this.#smoothing(depth)],
      ['info', (depth) => this.#info(depth)],
      ['absent', (depth) => `absent(${this.#one(2) ? this.#missing() : this.vector(depth - 1)})`],
    ]);
  }

  /** Of any type that an instant query can answer. */
  expression(): string {
    const depth = 1 + this.#random.int(4);
    switch (this.#random.int(24)) {
      case 0:
        return this.scalar(depth);
      case 1:
        return this.matrix(depth);
      case 2:
        return this.#one(4) ? this.literals.string('text\n"é"') : this.#sorted(depth);
      default:
        return this.vector(depth);
    }
  }

  vector(depth: number): string {
    if (depth <= 0) return this.#instant();
    switch (this.#random.int(22)) {
      case 0:
      case 1:
        return this.#instant();
      case 2:
      case 3:
      case 4:
      case 5:
        return this.#rangeCall(depth);
      case 6:
      case 7:
      case 8:
      case 9:
        return this.#aggregation(depth);
      case 10:
        return this.#parameterAggregation(depth);
      case 11:
      case 12:
        return this.#withScalar(depth);
      case 13:
      case 14:
        return this.#likeWithLike(depth);
      case 15:
        return this.#joined(depth);
      case 16:
        return this.#anyPair(depth);
      case 17:
        return this.#set(depth);
      case 18:
        return this.#one(2) ? `-${this.#operand(depth)}` : `(${this.literals.gap()}${this.vector(depth - 1)})`;
      default:
        return this.#call(depth);
    }
  }

  scalar(depth: number): string {
    if (depth <= 0 || this.#one(2)) return this.literals.number();
    switch (this.#random.int(7)) {
      case 0:
        return this.#pick(['time()', 'pi()', 'time()']);
      case 1:
        return `scalar(${this.#one(2) ? 'sum(up)' : this.vector(depth - 1)})`;
      case 2:
        return `(${this.scalar(depth - 1)})`;
      case 3:
        return this.#pick(['-', '+', '- ']) + this.scalar(depth - 1);
      case 4:
        return `${this.scalar(depth - 1)} ${this.#pick(COMPARISON)} bool ${this.scalar(depth - 1)}`;
      default:
        return `${this.scalar(depth - 1)} ${this.literals.keyword(this.#pick(ARITHMETIC))} ${this.scalar(depth - 1)}`;
    }
  }

  matrix(depth: number, family?: Family): string {
    if (this.#wrong()) return this.#of(this.#pick(['scalar', 'vector', 'string']), depth);
    const { range, step } = { range: this.literals.range(), step: this.#one(3) ? '' : this.literals.step() };
    if (family !== undefined || depth <= 1 || !this.#one(4)) {
      return `${this.#selectors.selector(family)}[${range}]${this.#selectors.modifiers()}`;
    }
    const inner = this.#one(8) ? this.scalar(depth - 1) : this.vector(depth - 1);
    return `${this.#closed(inner)}[${range}:${step}]${this.#selectors.modifiers()}`;
  }

  #of(type: ValueType, depth: number): string {
    switch (type) {
      case 'string':
        return this.literals.string(this.#pick(['x', 'job', 'a b', '']));
      case 'scalar':
        return this.#wrong() ? this.vector(depth - 1) : this.scalar(depth);
      case 'matrix':
        return this.matrix(depth);
      default:
        return this.#wrong() ? this.#of(this.#pick(['scalar', 'matrix', 'string']), depth - 1) : this.vector(depth);
    }
  }

  #instant(family?: Family): string {
    return this.#selectors.selector(family) + this.#selectors.modifiers();
  }

  /** In parentheses, unless it binds tightly anyway or luck has it that precedence decides. */
  #closed(text: string): string {
    return /^[\w:]+$/.test(text) || this.#one(12) ? text : `(${text})`;
  }

  #operand(depth: number): string {
    return this.#closed(this.vector(depth - 1));
  }

  // Functions.

  #rangeCall(depth: number): string {
    const signature = this.#pick(this.#overRange);
    const { name, args } = signature;
    const special = this.#special.get(name);
    if (special !== undefined) return special(depth);
    const isCounter = COUNTER_FUNCTIONS.includes(name) && !this.#one(6);
    const family = isCounter ? this.#selectors.family('counter', 'bucket', 'native', 'mixed') : undefined;
    const texts = args.map((type) => (type === 'matrix' ? this.matrix(depth - 1, family) : this.#of(type, 1)));
    return this.#invoke(name, texts);
  }

  #call(depth: number): string {
    const { name, args, variadic } = this.#pick(this.#functions);
    const special = this.#special.get(name);
    if (special !== undefined) return special(depth);
    const types = [...args];
    if (variadic !== 0 && this.#one(2)) types.pop();
    if (this.#wrong()) types.push('scalar');
    return this.#invoke(
      name,
      types.map((type) => this.#of(type, type === 'scalar' ? 1 : depth - 1)),
    );
  }

  #invoke(name: string, args: readonly string[]): string {
    const { literals } = this;
    return `${name}${literals.gap()}(${literals.gap()}${args.join(`,${literals.gap()} `)}${literals.gap()})`;
  }

  #phi(depth: number): string {
    return this.#one(8) ? this.scalar(Math.min(depth, 2)) : this.literals.quantile();
  }

  /** Native or classic ones, as they are asked for: rates, and sums of them by le. */
  #histograms(depth: number): string {
    const family = this.#one(8) ? undefined : this.#selectors.family('bucket', 'native', 'native', 'mixed');
    switch (this.#random.int(6)) {
      case 0:
        return this.vector(depth - 1);
      case 1:
      case 2:
        return `${this.#pick(['rate', 'increase', 'delta'])}(${this.matrix(0, family)})`;
      case 3:
        return `sum by (${this.#pick(['le', 'le, job', 'le, instance', 'job, kind, le'])}) (rate(${this.matrix(0, family)}))`;
      default:
        return this.#instant(family);
    }
  }

  #labelReplace(depth: number): string {
    const { literals } = this;
    const target = this.#pick(['job', 'new', 'instance', '__name__', 'a.b', '', '1x', 'é']);
    const replacement = this.#pick(['$1', 'x-$1-$2', '${1}', '', '$x', '$$1', '${name}', 'same']);
    const pattern = this.#pick(['(.*)', '([a-z]).*:(.*)', '(?P<name>a|b).*', '', 'zzz', '(', '.*(\\d+)']);
    const texts = [target, replacement, this.#label(), pattern].map((text) => literals.string(text));
    return this.#invoke('label_replace', [this.vector(depth - 1), ...texts]);
  }

  #labelJoin(depth: number): string {
    const labels = this.#labelList().map((label) => this.literals.string(label));
    const target = this.literals.string(this.#pick(['joined', 'job', 'a b', '__name__', '']));
    return this.#invoke('label_join', [this.vector(depth - 1), target, this.literals.string('-'), ...labels]);
  }

  #sortByLabel(name: string, depth: number): string {
    const labels = [this.#label(), ...this.#labelList()].map((label) => this.literals.string(label));
    return this.#invoke(name, [this.vector(depth - 1), ...labels]);
  }

  #smoothing(depth: number): string {
    const factor = () => this.#pick(['0.1', '0.5', '0.9', '0', '1', '2', 'NaN']);
    return this.#invoke('double_exponential_smoothing', [this.matrix(depth - 1), factor(), factor()]);
  }

  /** The second argument is a selector, always: the parser of 3.5 panics at anything else. */
  #info(depth: number): string {
    const base = this.#one(2)
      ? this.#instant(this.#selectors.family('counter', 'gauge', 'native'))
      : this.vector(depth - 1);
    const selection = this.#pick([
      '',
      '',
      ', {version=~".+"}',
      ', {env="prod"}',
      ', {__name__="build_info"}',
      ', {__name__=~".+_info"}',
      ', {__name__=~".+_info", branch=~".*"}',
      ', {nope="x"}',
    ]);
    return `info(${base}${selection})`;
  }

  #missing(): string {
    return this.#pick([
      'missing',
      'missing{job="api",instance=~"a.*"}',
      '{job="x",job="y",z="z"}',
      'sum(missing)',
      'up{job="nope"}',
      'missing{a="",b!="c"}',
    ]);
  }

  // Aggregations.

  #aggregation(depth: number): string {
    return this.#aggregate(this.#pick(AGGREGATES), '', depth);
  }

  #aggregate(op: string, parameter: string, depth: number): string {
    const { literals } = this;
    const input = this.#wrong() ? this.#of(this.#pick(['scalar', 'matrix', 'string']), 1) : this.vector(depth - 1);
    const body = `(${literals.gap()}${parameter}${input}${literals.gap()})`;
    const word = literals.keyword(op);
    if (this.#one(4)) return word + body;
    const labels = this.#labelList().map((label) => literals.label(label));
    const comma = labels.length > 0 && this.#one(10) ? ',' : '';
    const grouping = `${literals.keyword(this.#pick(['by', 'by', 'without']))} (${labels.join(', ')}${comma})`;
    return this.#one(3) ? `${word}${body} ${grouping}` : `${word} ${grouping}${literals.gap()}${body}`;
  }

  #parameterAggregation(depth: number): string {
    switch (this.#random.int(6)) {
      case 0:
        return this.#aggregate('quantile', `${this.#phi(depth)}, `, depth);
      case 1:
        return this.#aggregate(
          'count_values',
          `${this.literals.string(this.#pick(['value', 'job', 'a.b', '']))}, `,
          depth,
        );
      case 2:
        return this.#aggregate('limit_ratio', `${this.#pick(['0.3', '-0.6', '1', '0', '-2', '0.5'])}, `, depth);
      case 3:
        // Which series it takes is free; how many is not.
        return `count(limitk${this.#one(2) ? ' by (job) ' : ''}(${this.literals.smallNumber()}, ${this.vector(depth - 1)}))`;
      default:
        return this.#aggregate(this.#pick(['topk', 'bottomk']), `${this.literals.smallNumber()}, `, depth);
    }
  }

  // Operators.

  #operator(): string {
    const op = this.#pick(this.#one(3) ? COMPARISON : ARITHMETIC);
    return COMPARISON.includes(op) && this.#one(2)
      ? `${op} ${this.literals.keyword('bool')}`
      : this.literals.keyword(op);
  }

  #withScalar(depth: number): string {
    const [vector, scalar] = [this.#operand(depth), this.scalar(1)];
    const operator = this.#operator();
    return this.#one(2) ? `${vector} ${operator} ${scalar}` : `${scalar} ${operator} ${vector}`;
  }

  /** Both sides from one family, so that labels match. */
  #likeWithLike(depth: number): string {
    const family = this.#selectors.family();
    const side = () => {
      const range = `${this.#selectors.selector(family)}[${this.literals.range()}]`;
      return this.#pick([
        this.#instant(family),
        `${this.#pick(['rate', 'avg_over_time', 'last_over_time', 'max_over_time'])}(${range})`,
        this.#instant(family),
        `(${this.#instant(family)} ${this.#pick(ARITHMETIC)} ${this.literals.smallNumber()})`,
      ]);
    };
    if (this.#one(2)) {
      const by = this.#pick([...family.labels.keys(), 'job']);
      const list = `by (${this.literals.label(by)})`;
      const sides = [0, 1].map(
        () => `${this.#pick(AGGREGATES)} ${list} (${this.#one(3) ? this.vector(depth - 1) : side()})`,
      );
      return `${sides[0]} ${this.#operator()} ${sides[1]}`;
    }
    return `${side()} ${this.#operator()} ${side()}`;
  }

  /** Many elements beside one. */
  #joined(depth: number): string {
    const many = this.#selectors.selector(this.#selectors.family('counter', 'gauge', 'native', 'bucket'));
    const left = this.#one(2) ? many : `rate(${many}[${this.literals.range()}])`;
    const [list, one] = this.#pick([
      ['instance, job', 'build_info'],
      ['job', 'sum by (job) (up)'],
      ['instance', 'max by (instance) (memory_bytes)'],
      ['job', 'group by (job, env) (target_info)'],
      ['instance, job', 'target_info{version="1.0"}'],
    ] as const);
    const include = this.#pick(['', '()', '(version)', '(branch)', '(env, job)', '(nope,)', '(instance)']);
    const operator = `${this.#operator()} on(${list})`;
    const sides = this.#one(2)
      ? `${left} ${operator} group_left${include} ${one}`
      : `${one} ${operator} group_right${include} ${left}`;
    return this.#one(10) ? this.#operand(depth) + this.#pick([' + ', ' or ']) + sides : sides;
  }

  #anyPair(depth: number): string {
    const labels = this.#labelList().filter((label) => !label.includes('.'));
    const matching = this.#pick(['', '', `on(${labels.join(',')})`, `ignoring (${labels.join(', ')})`]);
    const group = matching === '' ? '' : this.#pick(['', '', ' group_left', ` group_right(${this.#plainLabel()})`]);
    return `${this.#operand(depth)} ${this.#operator()} ${this.literals.keyword(matching)}${group} ${this.#operand(depth)}`;
  }

  #set(depth: number): string {
    const matching = this.#pick(['', '', `on(${this.#plainLabel()})`, 'on()', `ignoring(${this.#plainLabel()})`]);
    const op = this.literals.keyword(this.#pick(SETS));
    const right = this.#one(2) ? this.#operand(depth) : this.#instant();
    return `${this.#operand(depth)} ${op} ${matching} ${right}`;
  }

  #sorted(depth: number): string {
    return `${this.#pick(['sort', 'sort_desc'])}(${this.vector(depth - 1)})`;
  }

  // Choices.

  #literal(): string {
    return this.#pick(['0', '1', '-1', '0.5', '10', 'Inf', '-Inf', 'NaN', '2.5']);
  }

  #label(): string {
    return this.#pick(LABELS);
  }

  #plainLabel(): string {
    return this.#pick(['job', 'instance', 'kind', 'le', 'x']);
  }

  #labelList(): string[] {
    return LABELS.filter(() => this.#one(4));
  }

  #wrong(): boolean {
    return this.#one(WRONG_ONCE_IN);
  }

  #pick<T>(from: readonly T[]): T {
    return this.#random.pick(from);
  }

  /** True once in so many times. */
  #one(times: number): boolean {
    return this.#random.int(times) === 0;
  }
}
