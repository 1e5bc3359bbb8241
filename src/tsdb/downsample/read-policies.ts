// Policies from their file's text, with a fingerprint that tells other ones apart.

import { ConfigError } from '../../config/error.js';
import { parsePolicyFile } from '../../config/policy-file.js';
import type { Policies } from './policies.js';

/** Throws ConfigError. */
export function policiesOf(text: string, path: string): Policies {
  try {
    const list = parsePolicyFile(text);
    return { list, fingerprint: fingerprintOf(JSON.stringify(list)) };
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${path}: ${error.message}`);
    throw error;
  }
}

/** FNV-1a over UTF-16, twice with different starts: whether the policies are the same ones, nothing more. */
function fingerprintOf(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193) >>> 0;
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b) >>> 0;
  }
  return a.toString(16).padStart(8, '0') + b.toString(16).padStart(8, '0');
}
