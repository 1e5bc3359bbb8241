// JSON as Prometheus's API writes it, straight into text: no object per sample.
//
//   {"status":"success","data":{"resultType":"matrix","result":[
//     {"metric":{"__name__":"up","job":"a"},"values":[[1435781430.781,"1"],[1435781445.781,"1"]]}]}}
//
// Large answers leave in pieces while they are written; small ones stay whole and
// get a Content-Length.

import { soon } from '../base/clock.js';
import type { Answer, BodyStream } from './answer.js';

export const JSON_TYPE = 'application/json';

/** Characters gathered before a piece leaves. */
const PIECE_CHARACTERS = 64 * 1024;

/** The text of one JSON answer on its way out. `add` gathers; call `pass` between elements. */
export class JsonWriter {
  #text = '';
  /** What comes before the text, as bytes. */
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #stream: BodyStream | undefined;

  constructor(readonly answer: Answer) {}

  /** Bytes are taken. */
  add(text: string | Uint8Array): void {
    if (typeof text === 'string') {
      this.#text += text;
      return;
    }
    this.#encode();
    this.#pieces.push(text);
    this.#pieceBytes += text.length;
  }

  /** Whether enough is gathered that `pass` should be called. */
  get full(): boolean {
    return this.#text.length + this.#pieceBytes >= PIECE_CHARACTERS;
  }

  /** Sends what is gathered. False when the client is gone: the rest need not be written. */
  async pass(): Promise<boolean> {
    this.#stream ??= this.answer.stream(200, JSON_TYPE);
    for (const piece of this.#take()) await this.#stream.write(piece);
    // Whatever came meanwhile goes first: a large answer is many such passes.
    await new Promise<void>(soon);
    return !this.answer.gone.aborted;
  }

  async end(): Promise<void> {
    if (this.#stream === undefined) {
      const whole = this.#pieces.length === 0 ? this.#text : Buffer.concat(this.#take());
      return this.answer.whole(200, JSON_TYPE, whole);
    }
    await this.pass();
    await this.#stream.end();
  }

  #encode(): void {
    if (this.#text === '') return;
    const bytes = Buffer.from(this.#text);
    this.#text = '';
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
  }

  #take(): Uint8Array[] {
    this.#encode();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#pieceBytes = 0;
    return pieces;
  }

  /** Whether it is too late for an error answer. */
  get begun(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether it was cut off by us: what is written after that fails. */
  isCut = false;

  fail(): void {
    this.isCut = this.begun;
    this.#stream?.fail();
  }
}
