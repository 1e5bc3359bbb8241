// What templates are made of. Every node knows where it begins and how it is written:
// messages about a running template show both.

/** Where a node begins, as an index of the text. */
interface Placed {
  readonly at: number;
}

// ---- What stands between actions, and actions

export interface TextNode extends Placed {
  readonly kind: 'text';
  readonly text: string;
}

/** A pipeline whose value is printed, unless it declares or assigns. */
export interface ActionNode extends Placed {
  readonly kind: 'action';
  readonly pipe: PipeNode;
}

export interface BranchNode extends Placed {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: PipeNode;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

/** A call of another template. */
export interface TemplateNode extends Placed {
  readonly kind: 'template';
  readonly name: string;
  readonly pipe: PipeNode | undefined;
}

export interface LeaveNode extends Placed {
  readonly kind: 'break' | 'continue';
}

export type Node = TextNode | ActionNode | BranchNode | TemplateNode | LeaveNode;

// ---- What stands in actions

/** Commands, each of which has the value of the one before it as its last argument. */
export interface PipeNode extends Placed {
  readonly kind: 'pipe';
  /** Variables that get its value; of `range`, the second gets elements. */
  readonly variables: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
}

/** A function, method or operand and its arguments. */
export interface CommandNode extends Placed {
  readonly kind: 'command';
  readonly operands: readonly Operand[];
}

/** `.a.b` */
export interface FieldNode extends Placed {
  readonly kind: 'field';
  readonly path: readonly string[];
}

/** `$x.a.b` */
export interface VariableNode extends Placed {
  readonly kind: 'variable';
  /** With the dollar sign. */
  readonly name: string;
  readonly path: readonly string[];
}

/** `(…).a.b` */
export interface ChainNode extends Placed {
  readonly kind: 'chain';
  readonly of: Operand;
  readonly path: readonly string[];
}

/** A function. */
export interface IdentifierNode extends Placed {
  readonly kind: 'identifier';
  readonly name: string;
}

export interface NumberNode extends Placed {
  readonly kind: 'number';
  readonly text: string;
  /** What it is where an integer is wanted; undefined where it is none. */
  readonly integer: bigint | undefined;
  readonly float: number;
  /** What it is where nothing says which: as it is written. */
  readonly ideal: 'integer' | 'float';
}

export interface StringNode extends Placed {
  readonly kind: 'string';
  /** As written, with quotes. */
  readonly quoted: string;
  readonly value: string;
}

export interface BoolNode extends Placed {
  readonly kind: 'bool';
  readonly value: boolean;
}

export interface DotNode extends Placed {
  readonly kind: 'dot';
}

export interface NilNode extends Placed {
  readonly kind: 'nil';
}

export type Operand =
  | PipeNode
  | FieldNode
  | VariableNode
  | ChainNode
  | IdentifierNode
  | NumberNode
  | StringNode
  | BoolNode
  | DotNode
  | NilNode;

/** What a message can be about. */
export type AnyNode = Node | PipeNode | CommandNode | Operand;

/** One template: the text itself, or a part of it with `define` or `block`. */
export interface Tree {
  readonly name: string;
  readonly source: Source;
  readonly body: readonly Node[];
}

/** The text that trees are of. */
export interface Source {
  /** Undefined for the text that is expanded: it has the name of what it is expanded for. */
  readonly name: string | undefined;
  readonly text: string;
}

// ---- As text

export function formatNode(node: AnyNode): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'action':
      return `{{${formatNode(node.pipe)}}}`;
    case 'if':
    case 'with':
    case 'range': {
      const otherwise = node.otherwise === undefined ? '' : `{{else}}${formatList(node.otherwise)}`;
      return `{{${node.kind} ${formatNode(node.pipe)}}}${formatList(node.body)}${otherwise}{{end}}`;
    }
    case 'template': {
      const pipe = node.pipe === undefined ? '' : ` ${formatNode(node.pipe)}`;
      return `{{template ${JSON.stringify(node.name)}${pipe}}}`;
    }
    case 'break':
    case 'continue':
      return `{{${node.kind}}}`;
    case 'pipe': {
      const commands = node.commands.map(formatNode).join(' | ');
      const sign = node.assigns ? '=' : ':=';
      return node.variables.length === 0 ? commands : `${node.variables.join(', ')} ${sign} ${commands}`;
    }
    case 'command':
      return node.operands.map(formatOperand).join(' ');
    case 'field':
      return formatPath(node.path);
    case 'variable':
      return node.name + formatPath(node.path);
    case 'chain':
      return formatOperand(node.of) + formatPath(node.path);
    case 'identifier':
      return node.name;
    case 'number':
      return node.text;
    case 'string':
      return node.quoted;
    case 'bool':
      return String(node.value);
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
  }
}

function formatList(nodes: readonly Node[]): string {
  return nodes.map(formatNode).join('');
}

function formatOperand(node: Operand): string {
  return node.kind === 'pipe' ? `(${formatNode(node)})` : formatNode(node);
}

function formatPath(path: readonly string[]): string {
  return path.map((name) => `.${name}`).join('');
}
