import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDoors } from '../../../scripts/tidy/doors.js';
import { NO_EXCEPTIONS } from '../../../scripts/tidy/exceptions.js';
import { checkExports } from '../../../scripts/tidy/exports.js';
import { checkRows } from '../../../scripts/tidy/rows.js';
import { code, importsOf, type Problem, resolveImport, type SourceFile } from '../../../scripts/tidy/source.js';
import { checkHeaders, checkIndexes, checkLeftovers, checkLinks } from '../../../scripts/tidy/text.js';

const filesOf = (files: Record<string, string>): SourceFile[] =>
  Object.entries(files).map(([path, text]) => ({ path, text }));
const brief = (problems: readonly Problem[]): string[] =>
  problems.map(({ path, line, message }) => `${path}:${line} ${message.split(/[:,(]/)[0]!.trim()}`);

const blanked: [name: string, text: string, withoutComments: string, withoutStrings: string][] = [
  ['a line comment', "a // b 'c'\nd", 'a         \nd', 'a         \nd'],
  ['a block comment keeps lines', 'a /* b\nc */ d', 'a     \n     d', 'a     \n     d'],
  ['slashes in a string', `a('//b'); c`, `a('//b'); c`, `a('   '); c`],
  ['an escaped quote', `'a\\'b' // c`, `'a\\'b'     `, `'    '     `],
  ['a template with a template inside', '`a${`b`}//` // c', '`a${`b`}//`     ', '`         `     '],
  ['a regular expression with a quote', `/["'/]/.test(a) // b`, `/["'/]/.test(a)     `, `/     /.test(a)     `],
  ['a division', 'a / b / c // d', 'a / b / c     ', 'a / b / c     '],
  ['a regular expression behind return', `return /'/ // a`, `return /'/     `, `return / /     `],
  ['a division by a call', `f(a) / b // '`, `f(a) / b     `, `f(a) / b     `],
  ['an unclosed string ends with its line', `'a\nb // c`, `'a\nb     `, `' \nb     `],
];
for (const [name, text, withoutComments, withoutStrings] of blanked) {
  test(`code: ${name}`, () => {
    assert.equal(code(text, { strings: false }), withoutComments);
    assert.equal(code(text, { strings: true }).length, text.length);
    if (name !== 'an unclosed string ends with its line') assert.equal(code(text, { strings: true }), withoutStrings);
  });
}

test('imports: every form, with lines, none in comments', () => {
  const text = `import a from './a.js';\nimport type { B } from "../b.js";\nimport './c.js';\nexport * from './d.js';\n// import './no.js';\nconst e = await import('./e.js');\nimport {\n  f,\n} from 'f';\n`;
  assert.deepEqual(
    importsOf({ path: 'src/x/y.ts', text }).map(({ specifier, line }) => `${line} ${specifier}`),
    ['1 ./a.js', '2 ../b.js', '3 ./c.js', '4 ./d.js', '6 ./e.js', '9 f'],
  );
  assert.equal(resolveImport('src/x/y.ts', '../b/c.js'), 'src/b/c.ts');
  assert.equal(resolveImport('src/x/y.ts', './z.js'), 'src/x/z.ts');
  assert.equal(resolveImport('src/x/y.ts', 'node:fs'), undefined);
});

const importing = (specifier: string): string => `// X.\nimport { x } from '${specifier}';\n`;

const rows: [name: string, files: Record<string, string>, want: string[]][] = [
  ['down', { 'src/web/a.ts': importing('../base/b.js') }, []],
  ['down by several rows, from a nested folder', { 'src/promql/exec/a.ts': importing('../../model/b.js') }, []],
  ['up', { 'src/base/a.ts': importing('../model/b.js') }, ['src/base/a.ts:2 base imports model']],
  [
    'up by a type',
    { 'src/config/a.ts': "import type { X } from '../scrape/b.js';" },
    ['src/config/a.ts:1 config imports scrape'],
  ],
  [
    'up inside promql',
    { 'src/promql/syntax/a.ts': importing('../exec/b.js') },
    ['src/promql/syntax/a.ts:2 promql/syntax imports promql/exec'],
  ],
  ['a file of promql itself', { 'src/promql/functions.ts': importing('./syntax/b.js') }, []],
  ['beside', { 'src/config/a.ts': importing('../relabel/b.js') }, []],
  [
    'beside, both ways',
    { 'src/config/a.ts': importing('../relabel/b.js'), 'src/relabel/b.ts': importing('../config/a.js') },
    [
      'src/config/a.ts:2 config and relabel import each other',
      'src/relabel/b.ts:2 relabel and config import each other',
    ],
  ],
  ['main to everything', { 'src/main.ts': importing('./server.js'), 'src/server.ts': importing('./web/a.js') }, []],
  ['a folder without a row', { 'src/stuff/a.ts': '// X.' }, ['src/stuff/a.ts:1 src/stuff has no row']],
  ['assembly to itself', { 'assembly/head/a.ts': importing('../layout') }, []],
  [
    'assembly to a package',
    { 'assembly/head/a.ts': importing('util') },
    ['assembly/head/a.ts:2 assembly imports only itself'],
  ],
  ['assembly out', { 'assembly/a.ts': importing('../src/base/b') }, ['assembly/a.ts:2 assembly imports only itself']],
  ['tests are free', { 'test/unit/a.test.ts': importing('../../src/shard/b.js') }, []],
];
for (const [name, files, want] of rows) {
  test(`rows: ${name}`, () => assert.deepEqual(brief(checkRows(filesOf(files))), want));
}

const doors: [path: string, text: string, want: boolean][] = [
  ['src/tsdb/a.ts', "import fs from 'node:fs';", false],
  ['src/tsdb/a.ts', "import fs from 'fs/promises';", false],
  ['src/base/disk.ts', "import fs from 'node:fs';", true],
  ['src/query/a.ts', "import { Piscina } from 'piscina';", false],
  ['src/base/thread.ts', "import { Piscina } from 'piscina';", true],
  ['src/shard/a.ts', "import { Worker } from 'node:worker_threads';", false],
  ['src/web/app.ts', "import uws from 'uWebSockets.js';", false],
  ['src/web/server.ts', "const uws = await import('uWebSockets.js');", true],
  ['src/scrape/a.ts', "import { request } from 'undici';", false],
  ['src/base/http/a.ts', "import { request } from 'undici';", true],
  ['src/scrape/a.ts', 'const x = await fetch(url);', false],
  ['src/scrape/a.ts', 'await this.fetch(url);', true],
  ['src/scrape/a.ts', 'Date.now()', false],
  ['src/scrape/a.ts', 'new Date()', false],
  ['src/scrape/a.ts', 'new Date(clock.nowMs())', true],
  ['src/scrape/a.ts', "// not Date.now()\nlog('Date.now()')", true],
  ['src/scrape/a.ts', 'setTimeout(f, 1)', false],
  ['src/base/clock.ts', 'setTimeout(f, 1)', true],
  ['src/tsdb/a.ts', 'Math.random()', false],
  ['src/tsdb/a.ts', "import { createHash } from 'node:crypto';", true],
  ['src/tsdb/a.ts', "import { randomBytes } from 'node:crypto';", false],
  ['src/shard/a.ts', "import { Status } from '../../assembly/layout.js';", false],
  ['src/wasm/a.ts', "import { Status } from '../../assembly/layout.js';", true],
  ['src/shard/a.ts', 'memory: WebAssembly.Memory', true],
  ['src/shard/a.ts', 'new WebAssembly.Memory({})', false],
  ['test/unit/a.test.ts', "import fs from 'node:fs';", true],
];
for (const [path, text, isFine] of doors) {
  test(`doors: ${path}: ${text.split('\n')[0]}`, () => {
    const problems = checkDoors(filesOf({ [path]: text }));
    assert.equal(problems.length === 0, isFine, problems[0]?.message);
  });
}

test('headers: code begins with a sentence', () => {
  const files = filesOf({
    'src/a/good.ts': '// Good.\n',
    'src/a/bad.ts': "import x from 'x';\n// Late.",
    'src/a/types.d.ts': 'declare x',
    'scripts/run.mjs': '#!/usr/bin/env node\n// Runs.\n',
    'assembly/empty.ts': '',
    'test/unit/a.test.ts': '',
  });
  assert.deepEqual(brief(checkHeaders(files)), [
    'src/a/bad.ts:1 begins without a header',
    'assembly/empty.ts:1 begins without a header',
  ]);
});

test('leftovers: where they matter', () => {
  const todo = ['FIX', 'ME'].join('');
  const files = filesOf({
    'src/a/a.ts': "x();\nconsole.log(1);\nlog('console.log');\ndebugger;",
    'src/cli/a.ts': 'console.log(1);',
    'scripts/a.ts': 'console.log(1);',
    'bench/a.ts': `// ${todo}: later`,
    'test/a.test.ts': "test.only('x', () => {});\n// it.only\nonly.test();",
  });
  assert.deepEqual(brief(checkLeftovers(files)), [
    'src/a/a.ts:2 console.log prints past the log',
    'src/a/a.ts:4 debugger stops in a debugger',
    `bench/a.ts:1 ${todo} is left over`,
    'test/a.test.ts:1 test.only runs this test alone',
  ]);
});

const page = 'docs/a.md';
const links: [text: string, isFine: boolean][] = [
  ['[x](b.md)', true],
  ['[x](none.md)', false],
  ['[x](../README.md)', true],
  ['[x](formats/)', true],
  ['[x](b.md#two-words)', true],
  ['[x](b.md#two-words-1)', true],
  ['[x](b.md#none)', false],
  ['[x](#here)', true],
  ['[x](#there)', false],
  ['[x](https://example.org/none)', true],
  ['[x](mailto:a@b)', true],
  ['![x](none.svg)', false],
  ['[x](<b.md> "title")', true],
  ['`[x](none.md)`', true],
  ['```\n[x](none.md)\n```', true],
];
for (const [text, isFine] of links) {
  test(`links: ${text.replaceAll('\n', ' ')}`, () => {
    const files = filesOf({
      [page]: `# Here\n\n${text}\n`,
      'docs/b.md': '# Two *words*\n## Two words\n',
      'README.md': '',
    });
    const paths = new Set([...files.map(({ path }) => path), 'docs/formats']);
    const problems = checkLinks(files, (path) => paths.has(path), NO_EXCEPTIONS);
    assert.equal(problems.length === 0, isFine, problems[0]?.message);
  });
}

test('links: pages named in comments are there, or excepted, and exceptions leave', () => {
  const files = filesOf({ 'src/a.ts': '// See docs/formats/a.md.\n// And docs/b.md.' });
  const none = checkLinks(files, () => false, NO_EXCEPTIONS);
  assert.deepEqual(brief(none), [
    'src/a.ts:1 sends readers to docs/formats/a.md',
    'src/a.ts:2 sends readers to docs/b.md',
  ]);
  const excepted = { ...NO_EXCEPTIONS, missingPages: new Set(['docs/formats/a.md', 'docs/b.md']) };
  assert.deepEqual(
    checkLinks(files, () => false, excepted),
    [],
  );
  assert.deepEqual(brief(checkLinks(files, (path) => path === 'docs/b.md', excepted)), ['docs/b.md:1 is written now']);
});

test('indexes: every page is listed, every decision has a number of its own', () => {
  const files = filesOf({
    'docs/formats/README.md': '[a](a.md)',
    'docs/formats/a.md': '',
    'docs/formats/b.md': '',
    'docs/differences.md': '[c](differences/c.md)',
    'docs/differences/c.md': '',
    'docs/decisions/0001-d.md': '',
    'docs/decisions/0002-e.md': '',
    'docs/decisions/0002-f.md': '',
    'docs/decisions/README.md': '[d](0001-d.md) [e](0002-e.md) [f](0002-f.md)',
    'docs/g.md': '',
  });
  assert.deepEqual(brief(checkIndexes(files)), [
    'docs/decisions/0002-f.md:1 has the number of 0002-e.md',
    'docs/formats/b.md:1 is not listed in docs/formats/README.md',
  ]);
});

test('exports: one façade each', () => {
  const files = filesOf({
    'assembly/index.ts':
      "// The exports.\nexport { open as chunk_open, close } from './chunk';\nexport {\n  a_one,\n  a_two,\n  // heap_no,\n  heap_alloc,\n  a_none,\n} from './a';\nexport function own(): void {}\n",
    'src/wasm/a.ts': 'x.chunk_open(); x.a_one(); x.a_two(); x.heap_alloc(); x.own();',
    'src/wasm/b.ts': 'x.a_two(); x.heap_alloc(); // a_one a_none',
    'src/shard/c.ts': 'a_none();',
  });
  assert.deepEqual(brief(checkExports(files, NO_EXCEPTIONS)), [
    'assembly/index.ts:2 close is used by no façade in src/wasm',
    'assembly/index.ts:5 a_two has several owners',
    'assembly/index.ts:8 a_none is used by no façade in src/wasm',
  ]);
  const lists = { unusedExports: ['close', 'a_none', 'a_one', 'gone'], sharedExports: ['a_two', 'chunk_open'] };
  const exceptions = {
    ...NO_EXCEPTIONS,
    unusedExports: new Set(lists.unusedExports),
    sharedExports: new Set(lists.sharedExports),
  };
  assert.deepEqual(brief(checkExports(files, exceptions)), [
    'assembly/index.ts:1 gone is no export',
    'assembly/index.ts:2 chunk_open has one owner now',
    'assembly/index.ts:4 a_one is used now',
  ]);
});
