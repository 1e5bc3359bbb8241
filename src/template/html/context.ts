// Where in an HTML page we are, told by all that was written so far: so a value is made safe
// for the place where it goes.
//
//   text ─<name─► tag ─name─► attribute ─=─► value ─► tag ─>─► text, or the inside of script, style, title, textarea

import { FloatHistogram } from '../../model/histogram.js';
import { display } from '../text/print.js';
import { printed } from '../text/printed.js';
import { Dict, Html, Int, List, Span, Struct, type Value } from '../value.js';
import * as escape from './escapers.js';
import { ScriptTracker } from './script.js';

type Place = 'text' | 'tag' | 'attribute' | 'before value' | 'value' | 'inside';
/** What an attribute's value is, or the inside of an element. */
type Content = 'plain' | 'url' | 'script' | 'style';

const TAG = /<(!--|\/?[A-Za-z][^\s/>]*)/g;
const SPACE = /[\s/]*/y;
const ATTRIBUTE = /[^\s=>/]+/y;
const URL_ATTRIBUTES: ReadonlySet<string> = new Set(
  'action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap xmlns'.split(
    ' ',
  ),
);
const INSIDES: ReadonlyMap<string, Content> = new Map([
  ['script', 'script'],
  ['style', 'style'],
  ['title', 'plain'],
  ['textarea', 'plain'],
]);

export class HtmlContext {
  #place: Place = 'text';
  /** Of the tag that we are in, or the element whose inside this is. */
  #element = '';
  #attribute = '';
  /** A quote, or nothing. */
  #delimiter = '';
  #content: Content = 'plain';
  #script = new ScriptTracker('script');
  /** Of a URL, what was before. */
  #url = '';
  #isInComment = false;

  /** Goes on behind a piece of the page; gives the piece without comments. */
  advance(text: string): string {
    let kept = '';
    for (let at = 0; at < text.length; ) {
      const { end, shown } = this.#step(text, at);
      kept += shown;
      at = end;
    }
    return kept;
  }

  #step(text: string, at: number): { end: number; shown: string } {
    if (this.#isInComment) return this.#comment(text, at);
    switch (this.#place) {
      case 'text':
        return this.#text(text, at);
      case 'inside':
        return this.#inside(text, at);
      case 'value':
        return this.#value(text, at);
      default: {
        const end = this.#end(text, at);
        return { end, shown: text.slice(at, end) };
      }
    }
  }

  #comment(text: string, at: number): { end: number; shown: string } {
    const close = text.indexOf('-->', at);
    if (close < 0) return { end: text.length, shown: '' };
    this.#isInComment = false;
    return { end: close + 3, shown: '' };
  }

  #text(text: string, at: number): { end: number; shown: string } {
    TAG.lastIndex = at;
    const match = TAG.exec(text);
    if (match === null) return { end: text.length, shown: text.slice(at) };
    const end = match.index + match[0].length;
    if (match[1] === '!--') {
      this.#isInComment = true;
      return { end, shown: text.slice(at, match.index) };
    }
    this.#element = match[1]!.toLowerCase();
    this.#place = 'tag';
    return { end, shown: text.slice(at, end) };
  }

  /** The end of what is next in a tag; moves on behind it. */
  #end(text: string, at: number): number {
    switch (this.#place) {
      case 'tag':
        return this.#tag(text, at);
      case 'attribute': {
        const end = matchAt(ATTRIBUTE, text, at);
        if (end > at) {
          this.#attribute += text.slice(at, end).toLowerCase();
          return end;
        }
        const next = skipSpace(text, at);
        if (text[next] === '=') {
          this.#place = 'before value';
          return next + 1;
        }
        this.#place = 'tag';
        return next;
      }
      case 'before value': {
        const next = skipSpace(text, at);
        if (next === text.length) return next;
        const character = text[next]!;
        const isQuoted = character === '"' || character === "'";
        this.#open(contentOf(this.#attribute), isQuoted ? character : '');
        this.#place = 'value';
        return isQuoted ? next + 1 : next;
      }
      default:
        return at;
    }
  }

  #tag(text: string, at: number): number {
    const next = matchAt(SPACE, text, at);
    if (next === text.length) return next;
    if (text[next] !== '>') {
      this.#attribute = '';
      this.#place = 'attribute';
      // A lone equals sign begins a name.
      return text[next] === '=' ? next + 1 : next;
    }
    const inside = INSIDES.get(this.#element);
    this.#place = inside === undefined ? 'text' : 'inside';
    if (inside !== undefined) this.#open(inside, '');
    return next + 1;
  }

  #inside(text: string, at: number): { end: number; shown: string } {
    const close = new RegExp(`</${this.#element}(?=[\\s/>])`, 'gi');
    close.lastIndex = at;
    const match = close.exec(text);
    const end = match?.index ?? text.length;
    const shown = this.#feed(text.slice(at, end));
    if (match === null) return { end, shown };
    this.#element = `/${this.#element}`;
    this.#place = 'tag';
    return { end: end + match[0].length, shown: shown + match[0] };
  }

  #value(text: string, at: number): { end: number; shown: string } {
    const close = this.#delimiter === '' ? /[\s>]/g : this.#delimiter === '"' ? /"/g : /'/g;
    close.lastIndex = at;
    const match = close.exec(text);
    const end = match?.index ?? text.length;
    this.#feed(text.slice(at, end));
    if (match === null) return { end, shown: text.slice(at, end) };
    this.#place = 'tag';
    const behind = end + this.#delimiter.length;
    return { end: behind, shown: text.slice(at, behind) };
  }

  #open(content: Content, delimiter: string): void {
    this.#content = content;
    this.#delimiter = delimiter;
    this.#script = new ScriptTracker(content === 'style' ? 'style' : 'script');
    this.#url = '';
  }

  /** What a value or the inside of an element goes on with; gives it without comments. */
  #feed(text: string): string {
    switch (this.#content) {
      case 'script':
      case 'style':
        return this.#script.advance(text);
      case 'url':
        this.#url += text;
        return text;
      case 'plain':
        return text;
    }
  }

  // ---- Values

  /** A value as it may stand here. */
  escape(value: Value): string {
    if (this.#isInComment) return '';
    switch (this.#place) {
      case 'text':
        return value instanceof Html ? value.text : escape.escapeText(textOf(value));
      case 'tag':
      case 'attribute':
        return escape.filterName(textOf(value));
      case 'inside':
        if (this.#content !== 'plain') return this.#escapeContent(value);
        return value instanceof Html ? escape.escapeMarkup(value.text) : escape.escapeText(textOf(value));
      case 'before value':
        this.#open(contentOf(this.#attribute), '');
        this.#place = 'value';
        return this.#escapeValue(value);
      case 'value':
        return this.#escapeValue(value);
    }
  }

  #escapeValue(value: Value): string {
    const isMarkup = value instanceof Html && this.#content === 'plain';
    const text = isMarkup ? escape.stripTags(value.text) : this.#escapeContent(value);
    if (this.#delimiter === '') return escape.escapeUnquoted(text);
    return isMarkup ? escape.escapeMarkup(text) : escape.escapeText(text);
  }

  #escapeContent(value: Value): string {
    switch (this.#content) {
      case 'plain':
        return textOf(value);
      case 'url':
        return this.#escapeUrl(textOf(value));
      case 'script':
        return this.#escapeScript(value);
      case 'style':
        return this.#escapeStyle(textOf(value));
    }
  }

  #escapeUrl(text: string): string {
    if (/[?#]/.test(this.#url)) return escape.escapeUrlPart(text);
    return escape.normalizeUrl(this.#url.trim() === '' ? escape.filterUrl(text) : text);
  }

  #escapeStyle(text: string): string {
    switch (this.#script.place) {
      case 'code':
        return escape.filterStyleValue(text);
      case 'comment':
        return '';
      default:
        return escape.escapeStyleText(text);
    }
  }

  #escapeScript(value: Value): string {
    switch (this.#script.place) {
      case 'code':
        return escape.scriptValue(plainOf(value));
      case 'pattern':
        return escape.escapeScriptPattern(textOf(value));
      case 'line comment':
      case 'comment':
        return '';
      default:
        return escape.escapeScriptText(textOf(value));
    }
  }
}

/** What a value is in an attribute of this name. */
function contentOf(attribute: string): Content {
  if (attribute.startsWith('xmlns:')) return 'url';
  const name = attribute.startsWith('data-') ? attribute.slice(5) : attribute.replace(/^[^:]*:/, '');
  if (URL_ATTRIBUTES.has(name)) return 'url';
  if (name === 'style') return 'style';
  if (name.startsWith('on')) return 'script';
  return /src|uri|url/.test(name) ? 'url' : 'plain';
}

/** No value is nothing, on a page. */
function textOf(value: Value): string {
  if (value === undefined) return '';
  return value instanceof Html ? value.text : printed(value);
}

/** A value as JSON has it. */
function plainOf(value: Value): unknown {
  if (value === undefined) return null;
  if (value instanceof Int || value instanceof Span) return Number(integerOf(value));
  if (value instanceof Html) return value.text;
  if (value instanceof Dict) {
    return Object.fromEntries([...value.entries].sort().map(([key, inner]) => [key, plainOf(inner)]));
  }
  if (value instanceof List) return value.items.map(plainOf);
  if (value instanceof Struct) {
    return Object.fromEntries([...value.fields].map(([name, inner]) => [name, plainOf(inner)]));
  }
  if (typeof value === 'object') return value instanceof FloatHistogram ? String(value) : display(value);
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

function integerOf(value: Int | Span): bigint {
  return value instanceof Int ? value.value : value.ns;
}

function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return at;
}
