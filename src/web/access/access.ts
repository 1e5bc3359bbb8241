// In front of every request where there is a web configuration file: how many may come, who may, and with which headers
// they are answered.
//
//   request ─► rate ─► headers ─► login ─► the app

import type { Clock } from '../../base/clock.js';
import type { DoorHandler, DoorRequest, DoorResponse, Header } from '../door.js';
import type { LoginOutcome, Logins } from './logins.js';
import { limiterOf, type RateLimiter } from './rate.js';
import type { WebSettings } from './settings.js';
import { WithHeaders } from './with-headers.js';

export interface AccessOptions {
  /** Asked at each request; the same object while nothing has changed. */
  readonly settings: () => WebSettings;
  readonly logins: Logins;
  readonly clock: Clock;
  /** Told how each login ended. */
  readonly onLogin: (outcome: LoginOutcome) => void;
}

export function controlAccess(handler: DoorHandler, options: AccessOptions): DoorHandler {
  const access = new Access(handler, options);
  return (request, response) => access.handle(request, response);
}

class Access {
  readonly #handler: DoorHandler;
  readonly #options: AccessOptions;
  #settings: WebSettings;
  #limiter: RateLimiter | undefined;

  constructor(handler: DoorHandler, options: AccessOptions) {
    this.#handler = handler;
    this.#options = options;
    this.#settings = options.settings();
    this.#limiter = limiterOf(this.#settings.rateLimit, options.clock.monotonicMs());
  }

  handle(request: DoorRequest, plain: DoorResponse): void | Promise<void> {
    const { clock, logins } = this.#options;
    const settings = this.#newest();
    if (this.#limiter?.admits(clock.monotonicMs()) === false) return refuse(plain, 429, 'Too Many Requests');
    const response = settings.headers.length === 0 ? plain : new WithHeaders(plain, settings.headers);
    if (settings.users.size === 0) return this.#handler(request, response);
    const outcome = logins.check(settings.users, request.header('authorization'), request.remoteAddress);
    if (outcome instanceof Promise) return outcome.then((known) => this.#answer(known, request, response));
    return this.#answer(outcome, request, response);
  }

  #answer(outcome: LoginOutcome, request: DoorRequest, response: DoorResponse): void | Promise<void> {
    this.#options.onLogin(outcome);
    switch (outcome) {
      case 'in':
        return this.#handler(request, response);
      case 'out':
        return refuse(response, 401, 'Unauthorized', [['WWW-Authenticate', 'Basic']]);
      case 'busy':
        return refuse(response, 503, 'Too many logins at a time', [['Retry-After', '1']]);
    }
  }

  #newest(): WebSettings {
    const settings = this.#options.settings();
    if (settings !== this.#settings) {
      this.#settings = settings;
      this.#limiter = limiterOf(settings.rateLimit, this.#options.clock.monotonicMs());
    }
    return settings;
  }
}

function refuse(response: DoorResponse, status: number, message: string, headers: readonly Header[] = []): void {
  response.head(status, [['Content-Type', 'text/plain; charset=utf-8'], NO_SNIFFING, ...headers]);
  response.end(`${message}\n`);
}

const NO_SNIFFING: Header = ['X-Content-Type-Options', 'nosniff'];
