// What files must have, must not have left over, and what their links must lead to.

import { EXCEPTIONS, type Exceptions } from './exceptions.js';
import { code, lineAt, type Problem, type SourceFile } from './source.js';

/** Each source file says first what it is. */
export function checkHeaders(files: readonly SourceFile[]): Problem[] {
  return files
    .filter(({ path }) => /^(?:src|assembly|scripts|bench)\/.*\.(?:ts|mjs)$/.test(path) && !path.endsWith('.d.ts'))
    .filter(({ text }) => !/^(?:#!.*\n)?\/\/ \S/.test(text))
    .map(({ path }) => ({
      path,
      line: 1,
      message: 'begins without a header: one sentence that says what the file is',
    }));
}

interface Leftover {
  readonly pattern: RegExp;
  readonly message: string;
  applies(path: string): boolean;
  /** Looked for in comments too. */
  readonly everywhere?: boolean;
}

const LEFTOVERS: readonly Leftover[] = [
  {
    pattern: /\b(?:test|it|describe|suite)\.only\b/g,
    message: 'runs this test alone: take .only away',
    applies: (path) => path.startsWith('test/'),
  },
  {
    pattern: /\bconsole\.\w+/g,
    message: 'prints past the log: use the logger, or process.stdout in cli',
    applies: (path) => path.startsWith('src/') && !path.startsWith('src/cli/'),
  },
  {
    pattern: /\bdebugger\b/g,
    message: 'stops in a debugger: take it away',
    applies: (path) => path.startsWith('src/'),
  },
  {
    // In two parts, so that this file passes its own check.
    pattern: new RegExp(`\\b${'FIX'}${'ME'}\\b|\\b${'XX'}X\\b`, 'g'),
    message: 'is left over: do it now, or write an issue',
    applies: () => true,
    everywhere: true,
  },
];

export function checkLeftovers(files: readonly SourceFile[]): Problem[] {
  return files
    .filter(({ path }) => /\.(?:ts|mjs)$/.test(path))
    .flatMap((file) =>
      LEFTOVERS.filter((leftover) => leftover.applies(file.path)).flatMap((leftover) => find(file, leftover)),
    );
}

function find(file: SourceFile, { pattern, message, everywhere }: Leftover): Problem[] {
  const text = everywhere ? file.text : code(file.text, { strings: true });
  return [...text.matchAll(pattern)].map((match) => ({
    path: file.path,
    line: lineAt(text, match.index),
    message: `${match[0]} ${message}`,
  }));
}

const LINK = /\[[^\]\n]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
/** Pages that source files send their readers to. */
const MENTION = /\bdocs\/[\w./-]+\.md\b/g;

/** Relative links in Markdown lead to files that are there, and to headings in them; so do pages named in comments. */
export function checkLinks(
  files: readonly SourceFile[],
  exists: (path: string) => boolean,
  { missingPages }: Exceptions = EXCEPTIONS,
): Problem[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const written = [...missingPages].filter(exists).map((page) => ({
    path: page,
    line: 1,
    message: 'is written now: take it from scripts/tidy/exceptions.ts',
  }));
  return [...written, ...files.flatMap((file) => (file.path.endsWith('.md') ? pageLinks(file) : mentions(file)))];

  function pageLinks(page: SourceFile): Problem[] {
    const text = withoutCode(page.text);
    return [...text.matchAll(LINK)].flatMap((match) => {
      const target = match[1]!;
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
      const fault = linkFault(page, target);
      return fault === undefined ? [] : [{ path: page.path, line: lineAt(text, match.index), message: fault }];
    });
  }

  function linkFault(page: SourceFile, target: string): string | undefined {
    const [file, anchor] = target.split('#') as [string, string?];
    const path = file === '' ? page.path : join(page.path, decodeURIComponent(file));
    if (!exists(path)) return `links to ${target}, which is not there`;
    const linked = byPath.get(path);
    if (anchor === undefined || anchor === '' || linked === undefined || !path.endsWith('.md')) return undefined;
    return anchorsOf(linked.text).has(anchor) ? undefined : `links to ${target}, but the page has no such heading`;
  }

  function mentions(file: SourceFile): Problem[] {
    if (/^(?:test|scripts\/tidy)\//.test(file.path) || !/\.(?:ts|mjs)$/.test(file.path)) return [];
    return [...file.text.matchAll(MENTION)]
      .filter(([page]) => !exists(page) && !missingPages.has(page))
      .map((match) => ({
        path: file.path,
        line: lineAt(file.text, match.index),
        message: `sends readers to ${match[0]}, which is not there`,
      }));
  }
}

/** Folders of pages, and the page that lists them. */
const INDEXES: readonly (readonly [folder: string, index: string])[] = [
  ['docs/decisions/', 'docs/decisions/README.md'],
  ['docs/differences/', 'docs/differences.md'],
  ['docs/formats/', 'docs/formats/README.md'],
];

/** Every page of such a folder is found from its index, and no two decisions have one number. */
export function checkIndexes(files: readonly SourceFile[]): Problem[] {
  const textOf = new Map(files.map(({ path, text }) => [path, text]));
  const numbers = new Map<string, string>();
  return INDEXES.flatMap(([folder, index]) =>
    files
      .filter(({ path }) => path.startsWith(folder) && path.endsWith('.md') && path !== index)
      .flatMap(({ path }) => {
        const problems: Problem[] = [];
        const name = path.slice(folder.length);
        if (!textOf.get(index)?.includes(`${name})`)) {
          problems.push({ path, line: 1, message: `is not listed in ${index}: nobody will find it` });
        }
        const number = /^\d{4}/.exec(name)?.[0];
        const other = number === undefined ? undefined : numbers.get(number);
        if (other !== undefined) problems.push({ path, line: 1, message: `has the number of ${other}: take the next` });
        if (number !== undefined) numbers.set(number, name);
        return problems;
      }),
  );
}

/** Fenced blocks and code spans blanked. */
function withoutCode(markdown: string): string {
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ');
  return markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, blank).replace(/`[^`\n]*`/g, blank);
}

function join(from: string, relative: string): string {
  const parts = relative.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

/** As GitHub makes them of headings. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of markdown.matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const slug = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    let unique = slug;
    for (let count = 1; anchors.has(unique); count++) unique = `${slug}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}
