// Questions of discovery over HTTP: answers are texts, and anything but what was asked for is an error.

import type { Clock } from '../base/clock.js';
import { HttpClient, type HttpClientOptions, type HttpRequest } from '../base/http.js';
import { parseJson, type Tree } from './tree.js';

/** Longer answers are refused: lists of a hundred thousand targets are shorter. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
/** What an error shows of the answer that came instead. */
const SHOWN_CHARACTERS = 200;

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
  async ask(question: Question): Promise<Answer> {
    const { timeoutMs = this.#options.timeoutMs, headers = [], ...request } = question;
    const given = new Set(headers.map(([name]) => name.toLowerCase()));
    const common = this.#options.headers.filter(([name]) => !given.has(name.toLowerCase()));
    let memory: Buffer = Buffer.alloc(0);
    const answer = await this.#client.send(
      { ...request, headers: [...common, ...headers] },
      {
        timeoutMs,
        bodyBytesMax: ANSWER_BYTES_MAX,
        wantsBody: () => true,
        sink: {
          reserve(bytes, kept) {
            const larger = Buffer.allocUnsafe(bytes);
            memory.copy(larger, 0, 0, kept);
            memory = larger;
            return larger;
          },
        },
      },
    );
    const { status, statusText, headers: answered, bodyBytes } = answer;
    return { status, statusText, headers: answered, text: memory.toString('utf8', 0, bodyBytes) };
  }

  /** An answer of class 2xx; others are errors. */
  async get(question: Question | string): Promise<Answer> {
    const answer = await this.ask(typeof question === 'string' ? { url: question } : question);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw new Error(`server returned HTTP status ${answer.statusText}${shown(answer.text)}`);
  }

  /** The same, read as JSON. */
  async json(question: Question | string): Promise<Tree> {
    const answer = await this.get(question);
    try {
      return parseJson(answer.text);
    } catch (error) {
      throw new Error(`invalid JSON in the answer: ${(error as Error).message}`);
    }
  }

  /** Ends what is under way. */
  close(): void {
    this.#client.close();
  }
}

function shown(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line === '' ? '' : `: ${line.slice(0, SHOWN_CHARACTERS)}`;
}
