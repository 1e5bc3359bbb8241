// Where in a script or a style we are: in a string, a pattern, a comment, or between them.

export type ScriptPlace = 'code' | '"' | "'" | '`' | 'pattern' | 'line comment' | 'comment';

/** Behind these words a slash begins a pattern. */
const BEFORE_PATTERN =
  /(?:^|[^\w$.])(?:break|case|continue|delete|do|else|finally|in|instanceof|return|throw|try|typeof|void)\s*$/;

const END: Readonly<Record<Exclude<ScriptPlace, 'code'>, RegExp>> = {
  '"': /(?:\\.|[^"\\])*?"/sy,
  "'": /(?:\\.|[^'\\])*?'/sy,
  '`': /(?:\\.|[^`\\])*?`/sy,
  pattern: /(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])*?\//sy,
  'line comment': /[^\n\r\u2028\u2029]*(?=[\n\r\u2028\u2029])/y,
  comment: /.*?\*\//sy,
};

const MARKS = { script: /["'`]|\/\/|\/\*|\//g, style: /["']|\/\*/g };

export class ScriptTracker {
  place: ScriptPlace = 'code';
  readonly #language: keyof typeof MARKS;
  /** What was before, as far as it says what a slash means. */
  #before = '';

  constructor(language: keyof typeof MARKS) {
    this.#language = language;
  }

  /** Goes on behind a piece of the script; gives the piece without comments. */
  advance(text: string): string {
    let kept = '';
    for (let at = 0; at < text.length; ) {
      const start = at;
      if (this.place === 'code') {
        at = this.#code(text, at);
        kept += text.slice(start, this.#isComment ? at - 2 : at);
        continue;
      }
      const { place } = this;
      const end = END[place];
      end.lastIndex = at;
      const isWhole = end.test(text);
      at = isWhole ? end.lastIndex : text.length;
      if (!this.#isComment) kept += text.slice(start, at);
      else if (place === 'comment') kept += this.#inPlaceOf(text.slice(start, at));
      if (!isWhole) break;
      if (!this.#isComment) this.#before = 'x';
      this.place = 'code';
    }
    return kept;
  }

  /** A comment parts what is beside it, as the line end in it does. */
  #inPlaceOf(comment: string): string {
    return this.#language === 'script' && /[\n\r\u2028\u2029]/.test(comment) ? '\n' : ' ';
  }

  get #isComment(): boolean {
    return this.place === 'comment' || this.place === 'line comment';
  }

  /** Up to where something else than code begins, with its mark. */
  #code(text: string, from: number): number {
    const marks = MARKS[this.#language];
    marks.lastIndex = from;
    for (let match = marks.exec(text); match !== null; match = marks.exec(text)) {
      this.#note(text.slice(from, match.index));
      const [mark] = match;
      from = match.index + mark.length;
      if (mark === '//') this.place = 'line comment';
      else if (mark === '/*') this.place = 'comment';
      else if (mark === '/' && this.#divides) this.#note(mark);
      else this.place = mark === '/' ? 'pattern' : (mark as ScriptPlace);
      if (this.place !== 'code') return from;
    }
    this.#note(text.slice(from));
    return text.length;
  }

  #note(code: string): void {
    const end = (this.#before + code.slice(-LOOK_BACK)).trimEnd();
    if (end !== '') this.#before = end.slice(-LOOK_BACK);
  }

  /** Whether a slash here divides what was before it. */
  get #divides(): boolean {
    return /[\w$)\].]$|\+\+$|--$/.test(this.#before) && !BEFORE_PATTERN.test(this.#before);
  }
}

/** Longer than the words that matter. */
const LOOK_BACK = 16;
