// The parameters of a request: those of a form body before those of the URL, and these before those of a
// multipart form, as Go merges them.

import type { DoorRequest } from './door.js';
import { heapSink } from './door.js';
import { boundaryOf, multipartFields } from './multipart.js';

/** As Go's limit of a form body. */
const FORM_BYTES_MAX = 10 * 1024 * 1024;

/** Go reads a form of these. */
const FORM_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

export const FORM_TYPE = 'application/x-www-form-urlencoded';

export class Params {
  readonly #values = new Map<string, string[]>();
  /** Why the first bad pair is one, as Go says it; bad pairs are left out. */
  error: string | undefined;

  /** Adds the pairs of `a=1&b=2`. */
  add(encoded: string): void {
    for (const pair of encoded.split('&')) {
      if (pair === '') continue;
      if (pair.includes(';')) {
        this.error ??= 'invalid semicolon separator in query';
        continue;
      }
      const equals = pair.indexOf('=');
      const name = this.#decode(equals < 0 ? pair : pair.slice(0, equals));
      const value = this.#decode(equals < 0 ? '' : pair.slice(equals + 1));
      if (name === undefined || value === undefined) continue;
      this.append(name, value);
    }
  }

  append(name: string, value: string): void {
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }

  /** The first value; empty where there is none. */
  get(name: string): string {
    return this.#values.get(name)?.[0] ?? '';
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  #decode(text: string): string | undefined {
    const decoded = decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text);
    if (typeof decoded === 'string') return decoded;
    this.error ??= `invalid URL escape ${JSON.stringify(decoded.bad)}`;
    return undefined;
  }
}

/** Bytes of `%xx` read as UTF-8; what is no UTF-8 becomes U+FFFD. */
export function decodePercent(text: string): string | { readonly bad: string } {
  let at = text.indexOf('%');
  if (at < 0) return text;
  const bytes = Buffer.from(text, 'utf8');
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0x25) {
      bytes[length++] = bytes[i]!;
      continue;
    }
    const high = hexDigit(bytes[i + 1]);
    const low = hexDigit(bytes[i + 2]);
    if (high < 0 || low < 0) {
      at = i;
      return { bad: bytes.toString('utf8', at, Math.min(at + 3, bytes.length)) };
    }
    bytes[length++] = (high << 4) | low;
    i += 2;
  }
  return bytes.toString('utf8', 0, length);
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

export type ReadParams = { readonly params: Params } | { readonly failed: 'too-large' | 'cut' };

const NO_FORM = Buffer.alloc(0);

/** Reads a form body, where there is one, and the query. */
export async function readParams(request: DoorRequest): Promise<ReadParams> {
  const params = new Params();
  const type = FORM_METHODS.has(request.method) ? request.header('content-type') : '';
  const boundary = boundaryOf(type);
  let form: Buffer = NO_FORM;
  if (boundary !== undefined || isForm(type)) {
    const body = await request.readBody(heapSink, FORM_BYTES_MAX);
    if (body.kind !== 'whole') return { failed: body.kind === 'too-large' ? 'too-large' : 'cut' };
    form = Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.length);
  }
  if (boundary === undefined) params.add(form.toString('utf8'));
  params.add(request.query);
  if (boundary !== undefined) for (const { name, value } of multipartFields(form, boundary)) params.append(name, value);
  return { params };
}

function isForm(contentType: string): boolean {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase() === FORM_TYPE;
}
