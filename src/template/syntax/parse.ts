// From words to trees. One text is one template, and those that it defines.
//
//   text     = { plain | action }
//   action   = "{{" ( pipeline | if … | range … | with … | template … | block … | define … ) "}}"
//   pipeline = [ variable [ "," variable ] ( ":=" | "=" ) ] command { "|" command }
//   command  = operand { space operand }
//   operand  = ( field | variable | function | literal | "." | "(" pipeline ")" ) { field }

import { quote } from '../../model/quote.js';
import { Lexer } from './lexer.js';
import { readCharacter, readNumber } from './number.js';
import { unquote } from './strings.js';
import { describe, type Token, type TokenKind } from './token.js';
import type { CommandNode, Node, NumberNode, Operand, PipeNode, Source, TemplateNode, Tree } from './tree.js';

/** Thrown for a text that is no template. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
  /** Where, from 1. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Which names are functions: known when a text is read. */
export type IsFunction = (name: string) => boolean;

export interface Parsed {
  /** The text itself; it has no name of its own. */
  readonly main: Tree;
  /** What it defines. */
  readonly defined: ReadonlyMap<string, Tree>;
}

/** Throws SyntaxFault. */
export function parseTemplate(source: Source, isFunction: IsFunction): Parsed {
  return new Parser(source, isFunction).parse();
}

/** Actions and parentheses in one another: deeper ones would overflow the stack. */
const NESTING_MAX = 250;

/** What ends a list of nodes. */
interface Ending {
  readonly end: 'end' | 'else';
}

type Item = Node | Ending | undefined;

const OPERAND_STARTS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  'bool',
  'character',
  'number',
  'field',
  'identifier',
  'string',
  'raw string',
  'variable',
  'left parenthesis',
]);

class Parser {
  readonly #source: Source;
  readonly #lexer: Lexer;
  readonly #isFunction: IsFunction;
  readonly #defined = new Map<string, Tree>();
  /** Words that were read and given back, the next one last. */
  readonly #back: Token[] = [];
  /** The word read last: messages name its line. */
  #read!: Token;
  /** Names in scope, with their dollar signs. */
  #variables = ['$'];
  #ranges = 0;
  #nesting = 0;
  /** Where the action being read began. */
  #actionLine = 0;

  constructor(source: Source, isFunction: IsFunction) {
    this.#source = source;
    this.#lexer = new Lexer(source.text);
    this.#isFunction = isFunction;
  }

  parse(): Parsed {
    const body: Node[] = [];
    while (this.#peek().kind !== 'end of file') {
      const delimiter = this.#next();
      const word = delimiter.kind === 'left delimiter' ? this.#nextWord() : undefined;
      if (word?.kind === 'keyword' && word.value === 'define') {
        this.#definition();
        continue;
      }
      if (word !== undefined) this.#back.push(word);
      this.#back.push(delimiter);
      const item = this.#item();
      if (item === undefined) continue;
      if ('end' in item) this.#fail(`unexpected {{${item.end}}}`);
      body.push(item);
    }
    return { main: { name: '', source: this.#source, body }, defined: this.#defined };
  }

  // ---- Templates

  #definition(): void {
    const name = this.#templateName(this.#nextWord(), 'define clause');
    this.#expect('right delimiter', 'define clause');
    this.#add(this.#tree(name, 'define clause'));
  }

  /** The body of a template that a text defines: it sees no variables of what is around it. */
  #tree(name: string, context: string): Tree {
    const [variables, ranges] = [this.#variables, this.#ranges];
    this.#variables = ['$'];
    this.#ranges = 0;
    const { body, ending } = this.#list();
    if (ending.end !== 'end') this.#fail(`unexpected {{${ending.end}}} in ${context}`);
    this.#variables = variables;
    this.#ranges = ranges;
    return { name, source: this.#source, body };
  }

  /** Of two of one name the one that is not empty counts. */
  #add(tree: Tree): void {
    const known = this.#defined.get(tree.name);
    if (known === undefined || isEmptyTree(known)) this.#defined.set(tree.name, tree);
    else if (!isEmptyTree(tree)) this.#fail(`template: multiple definition of template ${quote(tree.name)}`);
  }

  // ---- Text and actions

  #list(): { body: readonly Node[]; ending: Ending } {
    if (++this.#nesting > NESTING_MAX) this.#fail('actions are nested too deeply');
    const body: Node[] = [];
    while (this.#peekWord().kind !== 'end of file') {
      const item = this.#item();
      if (item === undefined) continue;
      if ('end' in item) {
        this.#nesting--;
        return { body, ending: item };
      }
      body.push(item);
    }
    this.#fail('unexpected EOF');
  }

  /** Undefined for what does nothing. */
  #item(): Item {
    const token = this.#nextWord();
    if (token.kind === 'text') return { kind: 'text', at: token.at, text: token.value };
    if (token.kind !== 'left delimiter') this.#unexpected(token, 'input');
    this.#actionLine = token.line;
    const item = this.#action();
    this.#actionLine = 0;
    return item;
  }

  #action(): Item {
    const token = this.#nextWord();
    if (token.kind === 'keyword') {
      switch (token.value) {
        case 'if':
        case 'range':
        case 'with':
          return this.#branch(token.value);
        case 'template':
          return this.#call();
        case 'block':
          return this.#block();
        case 'break':
        case 'continue':
          return this.#leave(token.value, token);
        case 'end':
          this.#expect('right delimiter', 'end');
          return { end: 'end' };
        case 'else':
          return this.#else();
      }
    }
    this.#back.push(token);
    return { kind: 'action', at: token.at, pipe: this.#pipeline('command', 'right delimiter') };
  }

  #branch(kind: 'if' | 'range' | 'with'): Node {
    const known = this.#variables.length;
    const pipe = this.#pipeline(kind, 'right delimiter');
    if (kind === 'range') this.#ranges++;
    const { body, ending } = this.#list();
    if (kind === 'range') this.#ranges--;
    const otherwise = ending.end === 'else' ? this.#otherwise(kind) : undefined;
    this.#variables.length = known;
    return { kind, at: pipe.at, pipe, body, otherwise };
  }

  /** What follows `else`: a list up to `end`, or one more branch of the same kind, which shares its `end`. */
  #otherwise(kind: 'if' | 'range' | 'with'): readonly Node[] {
    const token = this.#peek();
    if (kind !== 'range' && token.kind === 'keyword' && token.value === kind) {
      this.#next();
      if (++this.#nesting > NESTING_MAX) this.#fail('actions are nested too deeply');
      const branch = this.#branch(kind);
      this.#nesting--;
      return [branch];
    }
    const { body, ending } = this.#list();
    if (ending.end !== 'end') this.#fail(`expected end; found {{${ending.end}}}`);
    return body;
  }

  #else(): Ending {
    const token = this.#peekWord();
    const goesOn = token.kind === 'keyword' && (token.value === 'if' || token.value === 'with');
    if (!goesOn) this.#expect('right delimiter', 'else');
    return { end: 'else' };
  }

  #leave(kind: 'break' | 'continue', { at }: Token): Node {
    const token = this.#nextWord();
    if (token.kind !== 'right delimiter') this.#unexpected(token, `{{${kind}}}`);
    if (this.#ranges === 0) this.#fail(`{{${kind}}} outside {{range}}`);
    return { kind, at };
  }

  #call(): TemplateNode {
    const token = this.#nextWord();
    const name = this.#templateName(token, 'template clause');
    const next = this.#nextWord();
    if (next.kind === 'right delimiter') return { kind: 'template', at: token.at, name, pipe: undefined };
    this.#back.push(next);
    return { kind: 'template', at: token.at, name, pipe: this.#pipeline('template clause', 'right delimiter') };
  }

  #block(): TemplateNode {
    const token = this.#nextWord();
    const name = this.#templateName(token, 'block clause');
    const pipe = this.#pipeline('block clause', 'right delimiter');
    this.#add(this.#tree(name, 'block clause'));
    return { kind: 'template', at: token.at, name, pipe };
  }

  #templateName(token: Token, context: string): string {
    if (token.kind !== 'string' && token.kind !== 'raw string') this.#unexpected(token, context);
    return unquote(token.value) ?? this.#fail('invalid syntax');
  }

  // ---- Pipelines

  #pipeline(context: string, end: 'right delimiter' | 'right parenthesis'): PipeNode {
    if (++this.#nesting > NESTING_MAX) this.#fail('actions are nested too deeply');
    const { at } = this.#peekWord();
    const { variables, assigns } = this.#declarations(context);
    const commands: CommandNode[] = [];
    for (;;) {
      const token = this.#nextWord();
      if (token.kind === end) break;
      const isWord = token.kind === 'keyword' && (token.value === '.' || token.value === 'nil');
      if (!isWord && !OPERAND_STARTS.has(token.kind)) this.#unexpected(token, context);
      this.#back.push(token);
      commands.push(this.#command());
    }
    this.#checkCommands(commands, context);
    this.#nesting--;
    return { kind: 'pipe', at, variables, assigns, commands };
  }

  #declarations(context: string): { variables: readonly string[]; assigns: boolean } {
    const variables: string[] = [];
    while (this.#peekWord().kind === 'variable') {
      const variable = this.#nextWord();
      const space = this.#next();
      const sign = space.kind === 'space' ? this.#nextWord() : space;
      if (sign.kind === 'declare' || sign.kind === 'assign') {
        variables.push(variable.value);
        this.#variables.push(...variables);
        return { variables, assigns: sign.kind === 'assign' };
      }
      if (sign.kind !== 'other' || sign.value !== ',') {
        if (space !== sign) this.#back.push(sign);
        this.#back.push(space, variable);
        break;
      }
      variables.push(variable.value);
      if (context !== 'range' || variables.length >= 2) this.#fail(`too many declarations in ${context}`);
      const { kind } = this.#peekWord();
      if (kind !== 'variable' && kind !== 'right delimiter' && kind !== 'right parenthesis') {
        this.#fail('range can only initialize variables');
      }
    }
    this.#variables.push(...variables);
    return { variables, assigns: false };
  }

  /** Only the first command may be a value; the others have an argument. */
  #checkCommands(commands: readonly CommandNode[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`);
    const stage = commands.findIndex(({ operands }, index) => index > 0 && isValue(operands[0]!));
    if (stage > 0) this.#fail(`non executable command in pipeline stage ${stage + 1}`);
  }

  #command(): CommandNode {
    const { at } = this.#peekWord();
    const operands: Operand[] = [];
    for (;;) {
      this.#peekWord();
      const operand = this.#operand();
      if (operand !== undefined) operands.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'right delimiter' || token.kind === 'right parenthesis') this.#back.push(token);
      else if (token.kind !== 'pipe') this.#unexpected(token, 'operand');
      break;
    }
    if (operands.length === 0) this.#fail('empty command');
    return { kind: 'command', at, operands };
  }

  /** A term and the fields after it; undefined where none begins. */
  #operand(): Operand | undefined {
    const term = this.#term();
    if (term === undefined || this.#peek().kind !== 'field') return term;
    const { at } = this.#peek();
    const path: string[] = [];
    while (this.#peek().kind === 'field') path.push(this.#next().value.slice(1));
    switch (term.kind) {
      case 'field':
      case 'variable':
        return { ...term, at, path: [...term.path, ...path] };
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#fail(`unexpected . after term ${quote(textOf(term))}`);
      default:
        return { kind: 'chain', at, of: term, path };
    }
  }

  #term(): Operand | undefined {
    const token = this.#nextWord();
    const { at, value } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#isFunction(value)) this.#fail(`function ${quote(value)} not defined`);
        return { kind: 'identifier', at, name: value };
      case 'variable':
        if (!this.#variables.includes(value)) this.#fail(`undefined variable ${quote(value)}`);
        return { kind: 'variable', at, name: value, path: [] };
      case 'field':
        return { kind: 'field', at, path: [value.slice(1)] };
      case 'bool':
        return { kind: 'bool', at, value: value === 'true' };
      case 'number':
        return this.#numeral(readNumber(value, at));
      case 'character':
        return this.#numeral(readCharacter(value, at));
      case 'string':
      case 'raw string':
        return { kind: 'string', at, quoted: value, value: unquote(value) ?? this.#fail('invalid syntax') };
      case 'left parenthesis':
        return this.#pipeline('parenthesized pipeline', 'right parenthesis');
      case 'keyword':
        if (value === '.') return { kind: 'dot', at };
        if (value === 'nil') return { kind: 'nil', at };
    }
    this.#back.push(token);
    return undefined;
  }

  #numeral(read: NumberNode | string): NumberNode {
    return typeof read === 'string' ? this.#fail(read) : read;
  }

  // ---- Words

  #next(): Token {
    const token = this.#back.pop();
    if (token !== undefined) return token;
    this.#read = this.#lexer.next();
    return this.#read;
  }

  #peek(): Token {
    const token = this.#next();
    this.#back.push(token);
    return token;
  }

  /** The next word that is no space. */
  #nextWord(): Token {
    for (;;) {
      const token = this.#next();
      if (token.kind !== 'space') return token;
    }
  }

  #peekWord(): Token {
    const token = this.#nextWord();
    this.#back.push(token);
    return token;
  }

  #expect(kind: TokenKind, context: string): void {
    const token = this.#nextWord();
    if (token.kind !== kind) this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind !== 'error') this.#fail(`unexpected ${describe(token)} in ${context}`);
    if (this.#actionLine === 0 || this.#actionLine === token.line) this.#fail(token.value);
    const where = token.value.endsWith(' action') ? ' started at' : ' in action started at';
    this.#fail(`${token.value}${where} ${PLACE}:${this.#actionLine}`);
  }

  #fail(message: string): never {
    throw new SyntaxFault(message, this.#read.line);
  }
}

/** Stands in messages for the template's name, which the parser does not know. */
export const PLACE = '\u0000';

/** Whether an operand is a value that takes no argument. */
function isValue({ kind }: Operand): boolean {
  return kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string';
}

/** Whether there is nothing but white space. */
export function isEmptyTree({ body }: Tree): boolean {
  return body.every((node) => node.kind === 'text' && node.text.trim() === '');
}

function textOf(term: Extract<Operand, { kind: 'bool' | 'string' | 'number' | 'nil' | 'dot' }>): string {
  switch (term.kind) {
    case 'bool':
      return String(term.value);
    case 'string':
      return term.quoted;
    case 'number':
      return term.text;
    case 'nil':
      return 'nil';
    case 'dot':
      return '.';
  }
}
