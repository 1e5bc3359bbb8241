// Doors: each outside thing has one file that touches it, so that tests and simulations
// can stand in its place. The table is that of ARCHITECTURE.md.

import { code, importsOf, lineAt, type Problem, resolveImport, type SourceFile } from './source.js';

interface Door {
  readonly thing: string;
  /** Files, or folders with a `/` at their end, that may touch it. */
  readonly doors: readonly string[];
  /** Packages and modules, matched against the whole specifier. */
  readonly modules?: RegExp;
  /** Paths of the project. */
  readonly paths?: RegExp;
  /** Words in the code. */
  readonly words?: RegExp;
}

const DOORS: readonly Door[] = [
  {
    thing: 'the core and its layout',
    doors: ['src/wasm/'],
    modules: /^@assemblyscript\/loader$/,
    paths: /^(?:build\/(?:core|reader|printer)|assembly\/)/,
    words: /\bnew WebAssembly\.|\bWebAssembly\.(?:compile|instantiate|validate)/,
  },
  {
    thing: 'threads',
    doors: ['src/base/thread.ts'],
    modules: /^(?:piscina|(?:node:)?(?:worker_threads|cluster))$/,
  },
  {
    thing: 'other programs',
    // flock(1), which Node has no call for, and those that a user's file names.
    doors: ['src/base/flock.ts', 'src/base/program.ts'],
    modules: /^(?:node:)?child_process$/,
  },
  { thing: 'uWebSockets', doors: ['src/web/server.ts'], modules: /^uWebSockets\.js$/ },
  { thing: 'bcrypt', doors: ['src/web/access/password-worker.ts'], modules: /^bcryptjs$/ },
  { thing: 'the file system', doors: ['src/base/disk.ts'], modules: /^(?:node:)?fs(?:\/promises)?$/ },
  {
    thing: 'HTTP and sockets',
    // Outgoing, plain TCP, and the second engine of the HTTP server.
    doors: [
      'src/base/http.ts',
      'src/base/http/',
      'src/base/socket.ts',
      'src/web/node-server.ts',
      'src/web/node-tls.ts',
    ],
    modules: /^(?:undici|(?:node:)?(?:http|https|http2|net|tls|dgram))$/,
    words: /(?:\bawait|\breturn|[=(,]) fetch\(|\bglobalThis\.fetch\b/,
  },
  { thing: 'DNS', doors: ['src/base/dns.ts'], modules: /^(?:node:)?dns(?:\/promises)?$/ },
  {
    thing: 'time',
    doors: ['src/base/clock.ts'],
    modules: /^(?:node:)?timers(?:\/promises)?$/,
    words: /\b(?:Date\.now|performance\.now|process\.hrtime|setTimeout|setInterval)\b|\bnew Date\(\)/,
  },
  {
    thing: 'randomness',
    doors: ['src/base/prng.ts'],
    words: /\b(?:Math\.random|randomBytes|randomUUID|randomInt|randomFill|randomFillSync|getRandomValues)\b/,
  },
];

/** Tests, benchmarks and scripts are freer. */
export function checkDoors(files: readonly SourceFile[]): Problem[] {
  return files
    .filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts'))
    .flatMap((file) => DOORS.flatMap((door) => checkDoor(file, door)));
}

function checkDoor(file: SourceFile, door: Door): Problem[] {
  if (door.doors.some((at) => (at.endsWith('/') ? file.path.startsWith(at) : file.path === at))) return [];
  const lines: [what: string, line: number][] = [];
  for (const { specifier, line } of importsOf(file)) {
    const path = resolveImport(file.path, specifier);
    if (path === undefined ? door.modules?.test(specifier) : door.paths?.test(path)) lines.push([specifier, line]);
  }
  const text = code(file.text, { strings: true });
  if (door.words !== undefined) {
    for (const match of text.matchAll(new RegExp(door.words, 'g'))) lines.push([match[0], lineAt(text, match.index)]);
  }
  return lines.map(([what, line]) => ({
    path: file.path,
    line,
    message: `${what}: ${door.thing} is reached through ${door.doors[0]} only`,
  }));
}
