// Arguments of functions and methods: which values and literals a parameter takes.

import type { ParameterType } from './functions/function.js';
import { takes } from './methods.js';
import type { Frame } from './run.js';
import { formatNode, type Operand } from './syntax/tree.js';
import { Int, List, Span, typeOf, type Value } from './value.js';

/** Types as messages name them. */
function nameOf(type: ParameterType): string {
  if (type === 'any') return 'interface {}';
  return type === 'value' ? 'reflect.Value' : type;
}

function canBeNil(type: ParameterType): boolean {
  return type === 'any' || type === 'value' || type === 'template.queryResult' || type === '*template.sample';
}

function nilOf(type: ParameterType): Value {
  return type === 'template.queryResult' ? new List([], type) : undefined;
}

/** A value for a parameter, or a message. */
export function checked(frame: Frame, value: Value, type: ParameterType): Value {
  if (value === undefined) {
    return canBeNil(type) ? nilOf(type) : frame.fail(`invalid value; expected ${nameOf(type)}`);
  }
  if (takes(type, typeOf(value))) return value;
  return frame.fail(`wrong type for value; expected ${nameOf(type)}; got ${typeOf(value)}`);
}

type Literal = Extract<Operand, { kind: 'number' | 'string' | 'bool' | 'nil' }>;

/** A literal for a parameter: numbers are what is wanted. */
export function literalFor(frame: Frame, node: Literal, type: ParameterType): Value {
  if (node.kind === 'nil') {
    return canBeNil(type) ? nilOf(type) : frame.fail(`cannot assign nil to ${nameOf(type)}`);
  }
  switch (type) {
    case 'any':
    case 'value':
      return valueOf(frame, node);
    case 'string':
      return node.kind === 'string' ? node.value : expected(frame, 'string', node);
    case 'float64':
      return node.kind === 'number' ? node.float : expected(frame, 'float', node);
    case 'int':
    case 'int64':
      return new Int(integerOf(frame, node), type);
    case 'time.Duration':
      return new Span(integerOf(frame, node));
    default:
      return frame.fail(`can't handle ${formatNode(node)} for arg of type ${nameOf(type)}`);
  }
}

function integerOf(frame: Frame, node: Literal): bigint {
  const integer = node.kind === 'number' ? node.integer : undefined;
  return integer === undefined || integer >= 1n << 63n ? expected(frame, 'integer', node) : integer;
}

function expected(frame: Frame, what: string, node: Literal): never {
  return frame.fail(`expected ${what}; found ${formatNode(node)}`);
}

/** A literal where nothing says what it should be. */
export function valueOf(frame: Frame, node: Literal): Value {
  switch (node.kind) {
    case 'string':
    case 'bool':
      return node.value;
    case 'nil':
      return frame.fail('nil is not a command');
    case 'number':
      if (node.ideal === 'float' || node.integer === undefined) return node.float;
      if (node.integer >= 1n << 63n) return frame.fail(`${node.text} overflows int`);
      return new Int(node.integer);
  }
}
