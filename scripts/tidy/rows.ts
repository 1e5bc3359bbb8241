// Imports point down. The rows are those of ARCHITECTURE.md, highest first; within a
// row a folder may use another, as long as the two do not use each other.

import { importsOf, type Problem, resolveImport, type SourceFile } from './source.js';

const ROWS: readonly (readonly string[])[] = [
  ['main', 'server', 'cli'],
  ['web', 'ui'],
  ['rules', 'notifier'],
  ['query', 'scrape', 'remote'],
  ['shard'],
  ['tsdb', 'promql/exec', 'discovery'],
  ['promql/plan', 'promql/syntax', 'config', 'exposition', 'relabel', 'template', 'wasm'],
  ['model', 'telemetry'],
  ['base'],
];

const rowOf = new Map(ROWS.flatMap((row, index) => row.map((folder) => [folder, index] as const)));

/** `promql/exec` for src/promql/exec/x.ts, `main` for src/main.ts; undefined outside src. */
function folderOf(path: string): string | undefined {
  const parts = path.split('/');
  if (parts[0] !== 'src') return undefined;
  const nested = parts.slice(1, 3).join('/');
  if (parts.length > 3 && rowOf.has(nested)) return nested;
  // What stands in src/promql itself is about the language.
  if (parts[1] === 'promql' && parts.length === 3) return 'promql/syntax';
  return parts[1]!.replace(/\.ts$/, '');
}

interface Use {
  readonly from: string;
  readonly to: string;
  readonly path: string;
  readonly line: number;
}

export function checkRows(files: readonly SourceFile[]): Problem[] {
  return [...checkFolders(files), ...checkSource(usesOf(files)), ...checkAssembly(files)];
}

/** Every folder has a row. */
function checkFolders(files: readonly SourceFile[]): Problem[] {
  const strays = files.filter(({ path }) => path.startsWith('src/') && !rowOf.has(folderOf(path)!));
  return strays.map(({ path }) => ({
    path,
    line: 1,
    message: `src/${folderOf(path)} has no row: add it to scripts/tidy/rows.ts and ARCHITECTURE.md, or move the file`,
  }));
}

/** Uses of one folder by another. */
function usesOf(files: readonly SourceFile[]): Use[] {
  return files.flatMap((file) => {
    const from = folderOf(file.path);
    if (from === undefined) return [];
    return importsOf(file).flatMap(({ specifier, line }) => {
      const to = folderOf(resolveImport(file.path, specifier) ?? '');
      return to === undefined || to === from ? [] : [{ from, to, path: file.path, line }];
    });
  });
}

function checkSource(uses: readonly Use[]): Problem[] {
  const known = new Set(uses.map(({ from, to }) => `${from} > ${to}`));
  return uses.flatMap(({ from, to, path, line }) => {
    const [fromRow, toRow] = [rowOf.get(from) ?? 0, rowOf.get(to) ?? 0];
    if (toRow < fromRow) {
      return [
        { path, line, message: `${from} imports ${to}, which is above it: pass it in, or move the shared part down` },
      ];
    }
    if (toRow === fromRow && known.has(`${to} > ${from}`)) {
      return [
        { path, line, message: `${from} and ${to} import each other: one of them should know nothing of the other` },
      ];
    }
    return [];
  });
}

/** assembly/ imports only itself. */
function checkAssembly(files: readonly SourceFile[]): Problem[] {
  return files
    .filter(({ path }) => path.startsWith('assembly/'))
    .flatMap((file) =>
      importsOf(file).flatMap(({ specifier, line }) => {
        const target = resolveImport(file.path, specifier);
        if (target?.startsWith('assembly/')) return [];
        return [{ path: file.path, line, message: `assembly imports only itself, not ${specifier}` }];
      }),
    );
}
