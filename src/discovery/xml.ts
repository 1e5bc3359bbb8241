// XML as a tree: what a few old and some large APIs answer.
//
//   <a><b c="d">e</b><f/><f>g</f></a>   ►   { a: { b: { '@c': 'd', '#text': 'e' }, f: ['', 'g'] } }
//
// Elements, attributes, text, CDATA and the five entities; no document types, so no entity can become a bomb.

import { TEXT, Tree } from './tree.js';

const DEPTH_MAX = 100;

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** An element that is open. Without a prototype: its names are a stranger's. */
interface Open {
  readonly name: string;
  readonly children: Record<string, unknown>;
  text: string;
}

/** The next thing from a place on: a comment, a CDATA section, a declaration, a tag, or text. */
const NEXT =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?]+)((?:\s+[^\s=<>/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;

const ATTRIBUTE = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Throws an Error for what is no XML. */
export function parseXml(text: string): Tree {
  const root: Open = { name: '', children: Object.create(null), text: '' };
  const open: Open[] = [root];
  NEXT.lastIndex = 0;
  for (let at = 0; at < text.length; at = NEXT.lastIndex) {
    NEXT.lastIndex = at;
    const match = NEXT.exec(text);
    if (match === null) throw new Error(`no XML at character ${at}`);
    const [, cdata, closing, opening, attributes = '', slash, plain] = match;
    const inner = open.at(-1)!;
    if (cdata !== undefined) inner.text += cdata;
    else if (plain !== undefined) inner.text += unescaped(plain);
    else if (closing !== undefined) {
      if (open.length === 1 || localName(closing) !== inner.name) throw new Error(`</${closing}> ends nothing`);
      open.pop();
      add(open.at(-1)!, inner);
    } else if (opening !== undefined) {
      const element: Open = { name: localName(opening), children: attributesOf(attributes), text: '' };
      if (slash === '/') add(inner, element);
      else if (open.push(element) > DEPTH_MAX) throw new Error('elements are nested too deep');
    }
  }
  if (open.length > 1) throw new Error(`<${open.at(-1)!.name}> does not end`);
  if (root.text.trim() !== '') throw new Error('text outside of any element');
  return new Tree({ ...root.children });
}

function attributesOf(text: string): Record<string, unknown> {
  const attributes: Record<string, unknown> = Object.create(null);
  for (const [, name, double, single] of text.matchAll(ATTRIBUTE)) {
    attributes[`@${name}`] = unescaped(double ?? single ?? '');
  }
  return attributes;
}

function add(parent: Open, { name, children, text }: Open): void {
  const hasChildren = Object.keys(children).length > 0;
  const value = !hasChildren
    ? text.trim()
    : text.trim() === ''
      ? { ...children }
      : { ...children, [TEXT]: text.trim() };
  const before = parent.children[name];
  if (before === undefined) parent.children[name] = value;
  else if (Array.isArray(before)) before.push(value);
  else parent.children[name] = [before, value];
}

/** Without a namespace's prefix. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (whole, decimal?: string, hex?: string, name = '') => {
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : undefined;
    if (code === undefined) return ENTITIES.get(name) ?? whole;
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
