// A YAML file as typed scalars on numbered lines.
//
// The library finds the structure; what a plain scalar is gets decided here, as
// Go's YAML package does it: the text is kept (`1.10` stays `1.10` where a string
// is wanted), and its tag says which other types it may become.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { ConfigError } from './error.js';

export type { Node, YAMLMap, YAMLSeq } from 'yaml';
export { isMap, isSeq } from 'yaml';

export type ScalarTag =
  | '!!null'
  | '!!bool'
  | '!!int'
  | '!!float'
  | '!!str'
  | '!!timestamp'
  | '!!binary'
  | '!!map'
  | '!!seq';

export interface ScalarText {
  readonly tag: ScalarTag;
  readonly text: string;
}

/** Nodes visited in one file, aliases counted each time: far more than any real file, far less than a bomb makes. */
const VISITS_MAX = 1_000_000;

/** A parsed file while it is decoded: finds lines and collects what does not fit. */
export class YamlFile {
  /** `line 7: field bogus not found in type config.plain`, in the order found. */
  readonly faults: string[] = [];
  readonly root: Node | null;
  readonly #aliases: ReadonlyMap<Node, Node>;
  readonly #lines = new LineCounter();
  #visits = 0;

  /** Relative paths inside start here; empty leaves them as they are. */
  readonly folder: string;

  /** Throws ConfigError where the text is no YAML. */
  constructor(text: string, folder = '') {
    this.folder = folder;
    const document = parseDocument(text, {
      schema: 'failsafe',
      lineCounter: this.#lines,
      uniqueKeys: false,
      logLevel: 'silent',
    });
    const [error] = document.errors;
    if (error !== undefined) {
      const message = error.message.split(' at line ')[0];
      throw new ConfigError(`yaml: line ${this.#lines.linePos(error.pos[0]).line}: ${message}`);
    }
    this.root = document.contents;
    this.#aliases = aliasesOf(document);
  }

  /** The node itself, with an alias followed. */
  resolve(node: Node): Node {
    if (++this.#visits > VISITS_MAX) throw new ConfigError('yaml: document contains excessive aliasing');
    if (!isAlias(node)) return node;
    const target = this.#aliases.get(node);
    if (target === undefined) throw new ConfigError(`yaml: unknown anchor '${node.source}' referenced`);
    return target;
  }

  /** From 1. */
  lineOf(node: Node): number {
    return this.#lines.linePos(node.range?.[0] ?? 0).line;
  }

  /** `line:column`, both from 1. */
  placeOf(node: Node): string {
    const { line, col } = this.#lines.linePos(node.range?.[0] ?? 0);
    return `${line}:${col}`;
  }

  fault(node: Node, message: string): void {
    this.faults.push(`line ${this.lineOf(node)}: ${message}`);
  }

  /** Notes that a node cannot become a value of a type. */
  mismatch(node: Node, type: string): void {
    this.fault(node, `cannot unmarshal ${describe(node)} into ${type}`);
  }

  /** Throws what was noted, as Go's YAML package words it. */
  throwFaults(): void {
    if (this.faults.length > 0) throw new ConfigError(`yaml: unmarshal errors:\n  ${this.faults.join('\n  ')}`);
  }
}

/** What each alias stands for: the latest node before it with that anchor. In one pass; the library would walk for each. */
function aliasesOf(document: Document.Parsed): Map<Node, Node> {
  const anchored = new Map<string, Node>();
  const aliases = new Map<Node, Node>();
  visit(document, {
    Alias(_, alias, path) {
      const target = anchored.get(alias.source);
      if (target !== undefined && path.includes(target)) {
        throw new ConfigError(`yaml: anchor '${alias.source}' value contains itself`);
      }
      if (target !== undefined) aliases.set(alias, target);
    },
    Value(_, node) {
      if (node.anchor !== undefined) anchored.set(node.anchor, node);
    },
  });
  return aliases;
}

function describe(node: Node): string {
  if (isMap(node)) return '!!map';
  if (isSeq(node)) return '!!seq';
  const { tag, text } = scalarOf(node as Scalar);
  return `${tag} \`${text.length > 10 ? `${text.slice(0, 7)}...` : text}\``;
}

/** The entries of a mapping, those of merged mappings (`<<`) first, so that its own win. */
export function entriesOf(map: YAMLMap, file: YamlFile): [key: Scalar, value: Node | null][] {
  const merged: [Scalar, Node | null][] = [];
  const own: [Scalar, Node | null][] = [];
  for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
    const name = file.resolve(key);
    if (!isScalar(name)) {
      file.mismatch(name, 'string');
    } else if (name.type === 'PLAIN' && name.value === '<<' && value !== null) {
      merged.push(...mergedEntries(file.resolve(value), file));
    } else {
      own.push([name, value]);
    }
  }
  const names = new Set(own.map(([name]) => textOf(name)));
  return [...merged.filter(([name]) => !names.has(textOf(name))), ...own];
}

function mergedEntries(value: Node, file: YamlFile): [Scalar, Node | null][] {
  if (isMap(value)) return entriesOf(value, file);
  if (!isSeq(value)) throw new ConfigError('yaml: map merge requires map or sequence of maps as the value');
  const byName = new Map<string, [Scalar, Node | null]>();
  for (const item of (value as YAMLSeq<Node>).items) {
    for (const entry of mergedEntries(file.resolve(item), file)) {
      if (!byName.has(textOf(entry[0]))) byName.set(textOf(entry[0]), entry);
    }
  }
  return [...byName.values()];
}

const NULL = /^(?:~|null|Null|NULL|)$/;
const BOOL = /^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/;
const TRUE = /^(?:y|yes|on|true)$/i;
const INT = /^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$/;
const FLOAT =
  /^[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ].*)?$/;

export function isNull(node: Node | null): boolean {
  return node === null || (isScalar(node) && scalarOf(node).tag === '!!null');
}

/** As written, escapes resolved: the library would make bytes of a `!!binary`. */
export function textOf(scalar: Scalar): string {
  return scalar.source ?? String(scalar.value ?? '');
}

/** What a scalar says and how it was meant. */
export function scalarOf(node: Node): ScalarText {
  const scalar = node as Scalar;
  const text = textOf(scalar);
  if (scalar.tag === 'tag:yaml.org,2002:binary' || scalar.tag === '!!binary') return { tag: '!!binary', text };
  if (scalar.tag?.endsWith(':str') && (scalar.type !== Scalar.PLAIN || text !== '')) return { tag: '!!str', text };
  if (scalar.type !== undefined && scalar.type !== Scalar.PLAIN) return { tag: '!!str', text };
  if (NULL.test(text)) return { tag: '!!null', text };
  if (BOOL.test(text)) return { tag: '!!bool', text };
  if (INT.test(text)) return { tag: '!!int', text };
  if (FLOAT.test(text)) return { tag: '!!float', text };
  if (TIMESTAMP.test(text)) return { tag: '!!timestamp', text };
  return { tag: '!!str', text };
}

export function isTrue(text: string): boolean {
  return TRUE.test(text);
}

/** A number of YAML 1.1: `0x10`, `1_000`, `010` in octal, `.5`, `.inf`. */
export function numberOf(text: string): number {
  const plain = text.replaceAll('_', '');
  const sign = plain.startsWith('-') ? -1 : 1;
  const digits = plain.replace(/^[-+]/, '');
  if (/^\.inf$/i.test(digits)) return sign * Number.POSITIVE_INFINITY;
  if (/^\.nan$/i.test(digits)) return Number.NaN;
  return sign * Number(/^0[0-7]+$/.test(digits) ? `0o${digits}` : digits);
}
