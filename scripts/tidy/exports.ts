// Exports of the core: each used by exactly one façade, so that no kernel has two
// owners on this side and none is there for nothing.

import { EXCEPTIONS, type Exceptions } from './exceptions.js';
import { code, lineAt, type Problem, type SourceFile } from './source.js';

const INDEX = 'assembly/index.ts';
const LIST = 'scripts/tidy/exceptions.ts';

/** What every façade needs: memory itself. */
const SHARED = /^(?:memory|heap)_/;

export function checkExports(files: readonly SourceFile[], exceptions: Exceptions = EXCEPTIONS): Problem[] {
  const index = files.find(({ path }) => path === INDEX);
  if (index === undefined) return [];
  const façades = files
    .filter(({ path }) => /^src\/wasm\/.*\.ts$/.test(path) && !path.endsWith('.d.ts'))
    .map(({ path, text }) => ({ path, words: new Set(code(text, { strings: false }).match(/\w+/g)) }));
  const found = exportsOf(index);
  const names = new Set(found.map(({ name }) => name));
  const gone = [...exceptions.unusedExports, ...exceptions.sharedExports].filter((name) => !names.has(name));
  return [
    ...gone.map((name) => problem(1, `${name} is no export: take it from ${LIST}`)),
    ...found.flatMap(({ name, line }) => {
      const users = façades.filter(({ words }) => words.has(name)).map(({ path }) => path);
      const fault = faultOf(name, users, exceptions);
      return fault === undefined ? [] : [problem(line, `${name} ${fault}`)];
    }),
  ];
}

function faultOf(name: string, users: readonly string[], exceptions: Exceptions): string | undefined {
  const mayBeUnused = exceptions.unusedExports.has(name);
  const mayBeShared = SHARED.test(name) || exceptions.sharedExports.has(name);
  if (users.length === 0) return mayBeUnused ? undefined : 'is used by no façade in src/wasm: use it, or take it away';
  if (mayBeUnused) return `is used now: take it from ${LIST}`;
  if (users.length === 1) {
    return exceptions.sharedExports.has(name) ? `has one owner now: take it from ${LIST}` : undefined;
  }
  return mayBeShared ? undefined : `has several owners (${users.join(', ')}): one façade should lend it to the others`;
}

function problem(line: number, message: string): Problem {
  return { path: INDEX, line, message };
}

interface Export {
  readonly name: string;
  readonly line: number;
}

function exportsOf(index: SourceFile): Export[] {
  const text = code(index.text, { strings: false });
  const lists = [...text.matchAll(/\bexport\s*\{([^}]*)\}/g)].flatMap((list) => {
    const start = list.index + list[0].indexOf('{') + 1;
    return [...list[1]!.matchAll(/[^,]+/g)].flatMap((item) => {
      const name = /(\w+)\s*$/.exec(item[0])?.[1];
      const offset = item[0].search(/\S/);
      return name === undefined ? [] : [{ name, line: lineAt(text, start + item.index + offset) }];
    });
  });
  const declared = [...text.matchAll(/\bexport\s+(?:function|const|enum)\s+(\w+)/g)].map((match) => ({
    name: match[1]!,
    line: lineAt(text, match.index),
  }));
  return [...lists, ...declared];
}
