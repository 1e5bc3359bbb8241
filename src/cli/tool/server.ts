// Another server that a tool asks, with the client configuration of `--http.config.file`.

import { HttpClient, type HttpClientOptions, type HttpRequest, type HttpSender } from '../../base/http.js';
import { YamlFile } from '../../config/document.js';
import { ConfigError } from '../../config/error.js';
import { finishHttpClient, httpClientFields } from '../../config/http-client.js';
import { httpOptionsOf } from '../../config/http-options.js';
import { readText } from '../../config/load.js';
import { struct } from '../../config/struct.js';
import { FlagError, textFlag } from '../flag.js';
import { ToolError, type ToolWorld } from './command.js';

export const httpConfigFile = textFlag('http.config.file', '', 'HTTP client configuration for the server.', {
  placeholder: '<filename>',
});

export interface ServerOptions {
  readonly httpConfigFile: string;
  /** In front of those of a request. */
  readonly headers?: ReadonlyMap<string, string>;
}

export interface ServerAnswer {
  readonly status: number;
  /** `404 Not Found` */
  readonly statusText: string;
  readonly body: Uint8Array;
}

type Question = Omit<HttpRequest, 'url'> & { readonly path: string; readonly timeoutMs: number };

/** Called with `close` at its end. One question at a time. */
export class ToolServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly #sender: HttpSender;
  readonly #headers: readonly (readonly [string, string])[];

  /** Throws FlagError and ToolError. */
  constructor(world: ToolWorld, address: string, options: ServerOptions) {
    this.url = urlOf(address).replace(/\/+$/, '');
    const { username, password } = new URL(this.url);
    if (username !== '' && options.httpConfigFile !== '') {
      throw fatal('Cannot set base auth in the server URL and use a http.config.file at the same time');
    }
    const own: HttpClientOptions =
      username === ''
        ? {}
        : { basicAuth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } };
    this.#sender = new HttpClient({ ...httpOptionsIn(world, options.httpConfigFile), ...own }, world.clock);
    this.#headers = [['User-Agent', `narthex/${world.version}`], ...(options.headers ?? [])];
  }

  /** Rejects with an HttpError. */
  async ask({ path, timeoutMs, headers = [], ...request }: Question): Promise<ServerAnswer> {
    let body = new Uint8Array(0);
    const sink = {
      reserve: (bytes: number, kept: number) => {
        if (bytes > body.length) {
          const larger = new Uint8Array(bytes);
          larger.set(body.subarray(0, kept));
          body = larger;
        }
        return body;
      },
    };
    const { status, statusText, bodyBytes } = await this.#sender.send(
      { ...request, url: this.url + path, headers: [...this.#headers, ...headers] },
      { sink, timeoutMs, wantsBody: () => true },
    );
    return { status, statusText, body: body.subarray(0, bodyBytes) };
  }

  close(): void {
    this.#sender.close();
  }
}

/** Of what a person types: `localhost:9090` is as good as `http://localhost:9090`. Throws FlagError. */
function urlOf(address: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
  if (!URL.canParse(url)) throw new FlagError(`parse ${JSON.stringify(address)}: invalid URL`);
  return url;
}

/** What only shows once the command line has been read. */
function fatal(reason: string): ToolError {
  return new ToolError(`narthex: error: ${reason}`);
}

const httpConfig = struct('config.plain', httpClientFields(), finishHttpClient);

/** Throws FlagError where the file is not there, ToolError where it is wrong. */
export function httpOptionsIn({ disk }: ToolWorld, path: string): HttpClientOptions {
  if (path === '') return {};
  if (disk.stat(path) === undefined) throw new FlagError(`path '${path}' does not exist`);
  try {
    const file = new YamlFile(readText(disk, path));
    const config = file.root === null ? httpConfig.defaults() : httpConfig.decode(file.resolve(file.root), file);
    file.throwFaults();
    return httpOptionsOf(config!);
  } catch (error) {
    if (error instanceof ConfigError) throw fatal(`Failed to load HTTP config file: ${error.message}`);
    throw error;
  }
}
