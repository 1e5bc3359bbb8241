// The fast path of scraping: plain HTTP on one kept connection.
//
// A kept connection may have been closed by the target just when we ask again. So an exchange on a used connection
// that ends before any byte of the answer came is done once more on a new one.

import type { Address } from './address.js';
import { Connection } from './connection.js';
import type { HttpError } from './error.js';
import type { ExchangeOptions, HttpAnswer, OutgoingRequest, Transport } from './exchange.js';

export class PlainTransport implements Transport {
  readonly #address: Address;
  #connection: Connection | undefined;

  constructor(address: Address) {
    this.#address = address;
  }

  async exchange(request: OutgoingRequest, options: ExchangeOptions): Promise<HttpAnswer> {
    const kept = this.#connection;
    if (kept?.usable) {
      try {
        return await kept.exchange(request, options);
      } catch (error) {
        if (!kept.diedUnheard) throw error;
      }
    }
    const fresh = new Connection(this.#address);
    this.#connection = fresh;
    return fresh.exchange(request, options);
  }

  abort(reason: HttpError): void {
    this.#connection?.abort(reason);
    this.#connection = undefined;
  }
}
