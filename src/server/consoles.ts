// Console pages: templates and libraries from two folders, read at each request, as Prometheus does.

import { join } from 'node:path';
import { type Disk, DiskError } from '../base/disk.js';
import { globMatcher } from '../config/load.js';
import type { Labels } from '../model/labels.js';
import { type InstantQueries, vectorOf } from '../rules/query.js';
import { TemplateFault } from '../template/expand.js';
import { expandConsole } from '../template/html/console.js';
import type * as web from '../web/deps.js';

export interface ConsoleParts {
  readonly disk: Disk;
  readonly templatesFolder: string;
  readonly librariesFolder: string;
  readonly engine: InstantQueries;
  readonly nowMs: () => number;
  /** Without a slash at its end. */
  readonly externalUrl: string;
  externalLabels(): Labels;
}

const isLibrary = globMatcher('*.lib');

export function consoleDeps(parts: ConsoleParts): web.Consoles {
  const { disk, templatesFolder, librariesFolder, engine, externalUrl } = parts;
  return {
    async page(path, params, signal) {
      const text = isInside(path) ? read(disk, join(templatesFolder, path)) : undefined;
      if (text === undefined) return { kind: 'missing' };
      const names = disk.stat(librariesFolder)?.isDirectory === true ? disk.list(librariesFolder) : [];
      const libraries = names.filter(isLibrary).map((name) => {
        return { name, text: read(disk, join(librariesFolder, name)) ?? '' };
      });
      const query = async (expr: string, atMs: number) => {
        const { data, free } = await engine.instant(expr, atMs, { signal });
        const vector = vectorOf(data).map(({ labels, value, histogram }) => ({ labels, value: histogram ?? value }));
        free?.();
        return vector;
      };
      const context = { path, params, externalLabels: parts.externalLabels(), externalUrl, timeMs: parts.nowMs() };
      try {
        return { kind: 'page', html: await expandConsole(text, libraries, { ...context, query }) };
      } catch (error) {
        if (error instanceof TemplateFault) return { kind: 'failed', message: error.message };
        throw error;
      }
    },
  };
}

/** Whether a path of a URL stays in the folder. */
function isInside(path: string): boolean {
  return !path.includes('\0') && !path.split(/[/\\]/).some((part) => part === '..' || part === '');
}

function read(disk: Disk, path: string): string | undefined {
  try {
    return disk.stat(path)?.isDirectory === false ? new TextDecoder().decode(disk.readFile(path)) : undefined;
  } catch (error) {
    if (error instanceof DiskError) return undefined;
    throw error;
  }
}
