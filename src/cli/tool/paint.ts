// Colours of what tools say, and how far they are, for terminals alone.

const GREEN = '\x1b[32m';
const RED = '\x1b[31m';
const YELLOW = '\x1b[33m';
const NORMAL = '\x1b[0m';

/** By the word that says how something went. */
const COLOURS: ReadonlyMap<string, string> = new Map([
  ['SUCCESS', GREEN],
  ['FAILED', RED],
  ['error:', RED],
  ['WARNING', YELLOW],
  ['^', YELLOW],
]);

const BAR_WIDTH = 40;

/** How far something is, over what the line had before; nothing at its end. */
export function barOf(share: number): string {
  if (share >= 1) return '\r\x1b[K';
  const done = Math.floor(share * BAR_WIDTH);
  return `\r[${'='.repeat(done)}${' '.repeat(BAR_WIDTH - done)}] ${Math.floor(share * 100)}%`;
}

const WORDS = /^(.*?)(\bSUCCESS\b|\bFAILED\b|\berror:|\bWARNING\b|(?<= \| +)\^$)/gm;

/** The first such word of each line in its colour. */
export function painted(text: string): string {
  return text.replace(WORDS, (_, before: string, word: string) => `${before}${COLOURS.get(word)}${word}${NORMAL}`);
}
