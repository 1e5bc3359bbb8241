// Colours of what tools say, for terminals alone.

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

const WORDS = /^(.*?)(\bSUCCESS\b|\bFAILED\b|\berror:|\bWARNING\b|(?<= \| +)\^$)/gm;

/** The first such word of each line in its colour. */
export function painted(text: string): string {
  return text.replace(WORDS, (_, before: string, word: string) => `${before}${COLOURS.get(word)}${word}${NORMAL}`);
}
