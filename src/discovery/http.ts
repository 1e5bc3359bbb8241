// Questions of discovery over HTTP: answers are texts, and anything but what was asked for is an error.

import type { Clock } from '../base/clock.js';
import { type BodySink, HttpClient, type HttpClientOptions, type HttpRequest } from '../base/http.js';
import { parseJson, type Tree } from './tree.js';

/** Longer answers are refused: lists of a hundred thousand targets are shorter. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
/** What an error shows of the answer that came instead. */
const SHOWN_CHARACTERS = 200;
const LINE_FEED = 10;

export interface Question extends HttpRequest {
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

export interface AskerOptions {
  readonly http: HttpClientOptions;
  readonly clock: Clock;
  /** For questions that say nothing else. */
  readonly timeoutMs: number;
  /** With every question. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly reroute?: (url: string) => string;
  /** Called when nobody asks any more. */
  readonly onClose?: () => void;
}

/** Asks one question at a time. */
export class Asker {
  readonly #options: AskerOptions;
  readonly #client: HttpClient;

  constructor(options: AskerOptions) {
    this.#options = options;
    this.#client = new HttpClient(options.http, options.clock);
  }

  /** Any answer, whatever its status. Rejects with an HttpError where none came. */
  ask(question: Question): Promise<Answer> {
    return this.#send(question, new AnswerMemory());
  }

  /** An answer of class 2xx; others are errors. */
  async get(question: Question | string): Promise<Answer> {
    const answer = await this.ask(typeof question === 'string' ? { url: question } : question);
    if (isGood(answer.status)) return answer;
    throw refusal(answer);
  }

  /** The same, read as JSON. */
  async json(question: Question | string): Promise<Tree> {
    return jsonOf(await this.get(question));
  }

  /** Gives the lines of an answer of class 2xx while they come; resolves when it is whole, with any answer. */
  async lines(question: Question, onLine: (line: string) => void): Promise<Answer> {
    const memory = new AnswerMemory(onLine);
    const answer = await this.#send(question, memory);
    if (!isGood(answer.status)) return answer;
    for (const line of answer.text.split('\n')) if (line !== '') onLine(line);
    return { ...answer, text: '' };
  }

  /** Ends what is under way. Those of a session close with it; who asks for a part of its time closes earlier. */
  close(): void {
    this.#client.close();
    this.#options.onClose?.();
  }

  async #send(question: Question, memory: AnswerMemory): Promise<Answer> {
    const { timeoutMs = this.#options.timeoutMs, headers = [], ...request } = question;
    const given = new Set(headers.map(([name]) => name.toLowerCase()));
    const common = this.#options.headers.filter(([name]) => !given.has(name.toLowerCase()));
    const answer = await this.#client.send(
      { ...request, url: this.#options.reroute?.(request.url) ?? request.url, headers: [...common, ...headers] },
      {
        timeoutMs,
        sink: memory,
        bodyBytesMax: ANSWER_BYTES_MAX,
        wantsBody(status) {
          memory.isGood = isGood(status);
          return true;
        },
      },
    );
    const { status, statusText, headers: answered, bodyBytes } = answer;
    return { status, statusText, headers: answered, text: memory.text(bodyBytes) };
  }
}

/** An answer as JSON. */
export function jsonOf({ text }: Answer): Tree {
  try {
    return parseJson(text);
  } catch (error) {
    throw new Error(`invalid JSON in the answer: ${(error as Error).message}`);
  }
}

/** What to say of an answer that is not what was asked for. */
export function refusal({ statusText, text }: Answer): Error {
  const line = text.replace(/\s+/g, ' ').trim();
  return new Error(
    `server returned HTTP status ${statusText}${line === '' ? '' : `: ${line.slice(0, SHOWN_CHARACTERS)}`}`,
  );
}

/** Where an answer comes to lie; of one whose lines are wanted at once, only the last, unfinished line. */
class AnswerMemory implements BodySink {
  isGood = false;
  readonly #onLine: ((line: string) => void) | undefined;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine;
  }

  reserve(bytes: number, kept: number): Uint8Array {
    const larger = Buffer.allocUnsafe(bytes);
    this.#bytes.copy(larger, 0, 0, kept);
    this.#bytes = larger;
    return larger;
  }

  pass(filled: number): number {
    if (this.#onLine === undefined || !this.isGood) return filled;
    let start = 0;
    for (;;) {
      const end = this.#bytes.subarray(0, filled).indexOf(LINE_FEED, start);
      if (end < 0) break;
      if (end > start) this.#onLine(this.#bytes.toString('utf8', start, end));
      start = end + 1;
    }
    this.#bytes.copyWithin(0, start, filled);
    return filled - start;
  }

  text(bytes: number): string {
    return this.#bytes.toString('utf8', 0, bytes);
  }
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}
