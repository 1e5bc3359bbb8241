// The guard: what the head of a request must be, whichever engine parsed it.
//
// A message whose length can be read in two ways lets one client speak in the
// name of the next one behind a proxy (request smuggling). uWebSockets 20.30
// accepts several such forms, so every head is walked again here, and what is
// not plain is refused by ending the connection: its parser would go on with
// the smuggled request even after an answer that closes.

/** Most header lines of a request. Real clients and proxies send up to about 20. */
export const HEADERS_MAX = 40;
/** Most digits of a Content-Length: below 10^15, which a number holds exactly. */
const LENGTH_DIGITS_MAX = 15;

/** How long the body is: a number of bytes, or told by its chunks. */
export type BodyLength = number | 'chunked';

/**
 * Walks the header lines of one request. Feed it each line by `header`, then ask `verdict`.
 * Keeps the lines for the request, names in lower case.
 */
export class Guard {
  readonly headers = new Map<string, string>();
  #count = 0;
  #fault: string | undefined;
  #hosts = 0;
  #lengths = 0;
  #codings = 0;

  header(name: string, value: string): void {
    if (++this.#count > HEADERS_MAX) this.#fault ??= `more than ${HEADERS_MAX} headers`;
    const key = name.toLowerCase();
    if (!isToken(key)) this.#fault ??= 'a header name that is empty or has a forbidden character';
    if (!isFieldValue(value)) this.#fault ??= 'a header value with a control character';
    if (key === 'host') this.#hosts++;
    else if (key === 'content-length') this.#lengths++;
    else if (key === 'transfer-encoding') this.#codings++;
    const before = this.headers.get(key);
    this.headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }

  /** The length of the body, or why the request is refused. */
  verdict(): { readonly length: BodyLength } | { readonly refused: string } {
    if (this.#fault !== undefined) return { refused: this.#fault };
    if (this.#hosts > 1) return { refused: 'more than one Host' };
    if (this.#lengths > 1) return { refused: 'more than one Content-Length' };
    if (this.#codings > 1) return { refused: 'more than one Transfer-Encoding' };
    if (this.#lengths + this.#codings > 1) return { refused: 'both Content-Length and Transfer-Encoding' };
    if (this.#codings > 0) {
      const coding = this.headers.get('transfer-encoding')!.toLowerCase();
      return coding === 'chunked' ? { length: 'chunked' } : { refused: 'a Transfer-Encoding other than chunked' };
    }
    if (this.#lengths === 0) return { length: 0 };
    const digits = this.headers.get('content-length')!;
    if (!isDigits(digits)) return { refused: 'a Content-Length that is not a plain number' };
    return { length: Number(digits) };
  }
}

/** RFC 9110, 5.6.2; here of a name in lower case. */
function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}

/** RFC 9110, 5.5: visible characters, space, tab, and bytes above ASCII, which clients put into label values of URLs. */
function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}

function isDigits(text: string): boolean {
  if (text.length === 0 || text.length > LENGTH_DIGITS_MAX) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

const TOKEN = new Uint8Array(128);
for (const mark of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") TOKEN[mark.charCodeAt(0)] = 1;
