// Credentials that a program of a kubeconfig file gives (Kubernetes's documentation: "client-go credential plugins").
//
//   $KUBERNETES_EXEC_INFO   { apiVersion, kind: "ExecCredential", spec: { interactive: false, cluster? } }      ► program
//   its output              { …, status: { token, clientCertificateData, clientKeyData, expirationTimestamp } }
//
// They hold until they expire or the API server refuses them; then the program runs again.

import type { HttpClientOptions } from '../../../base/http.js';
import { type Lease, Leased } from '../../../base/lease.js';
import { runProgram } from '../../../base/program.js';
import type { Answer, Asker, Question } from '../../http.js';
import type { Session } from '../../session.js';
import { parseJson, type Tree } from '../../tree.js';

/** What a kubeconfig file says of such a program. */
export interface CredentialPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What it is told of the cluster, where it wants to know. */
  readonly cluster: Readonly<Record<string, unknown>> | undefined;
}

/** Who asks a Kubernetes API server. */
export type ApiAsker = Pick<Asker, 'ask' | 'lines'>;

const RUN_MS = 60_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;
const EARLY_MS = 10_000;
const UNAUTHORIZED = 401;

/** Makes askers that are all the same user: the program runs once for all of them. */
export function pluginAskers(
  plugin: CredentialPlugin,
  http: HttpClientOptions,
  session: Session,
  timeoutMs: number,
): () => ApiAsker {
  const credentials = new Leased(session.clock, EARLY_MS, () => run(plugin, session));
  return () => new PluginAsker(credentials, http, session, timeoutMs);
}

class PluginAsker implements ApiAsker {
  readonly #credentials: Leased<HttpClientOptions>;
  readonly #http: HttpClientOptions;
  readonly #session: Session;
  readonly #timeoutMs: number;
  /** Who asks, and what the program said when it was made. */
  #current: { readonly asker: Asker; readonly given: HttpClientOptions } | undefined;

  constructor(credentials: Leased<HttpClientOptions>, http: HttpClientOptions, session: Session, timeoutMs: number) {
    this.#credentials = credentials;
    this.#http = http;
    this.#session = session;
    this.#timeoutMs = timeoutMs;
  }

  async ask(question: Question): Promise<Answer> {
    return this.#checked(await (await this.#asker()).ask(question));
  }

  async lines(question: Question, onLine: (line: string) => void): Promise<Answer> {
    return this.#checked(await (await this.#asker()).lines(question, onLine));
  }

  async #asker(): Promise<Asker> {
    const given = await this.#credentials.get();
    if (this.#current?.given === given) return this.#current.asker;
    this.#current?.asker.close();
    const http = { ...this.#http, ...given, tls: { ...this.#http.tls, ...given.tls } };
    this.#current = { given, asker: this.#session.askerOf(http, this.#timeoutMs) };
    return this.#current.asker;
  }

  #checked(answer: Answer): Answer {
    if (answer.status === UNAUTHORIZED) this.#credentials.drop();
    return answer;
  }
}

async function run(plugin: CredentialPlugin, session: Session): Promise<Lease<HttpClientOptions>> {
  const { apiVersion, command, args, environment, cluster } = plugin;
  const spec = { ...(cluster === undefined ? {} : { cluster }), interactive: false };
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec });
  const ended = new AbortController();
  const forget = session.onEnd(() => ended.abort());
  try {
    const output = await runProgram(command, args, {
      environment: { ...environment, KUBERNETES_EXEC_INFO: info },
      timeoutMs: RUN_MS,
      outputBytesMax: OUTPUT_BYTES_MAX,
      signal: ended.signal,
    });
    return leaseOf(parsed(output, command), plugin);
  } finally {
    forget();
  }
}

function parsed(output: string, command: string): Tree {
  try {
    return parseJson(output);
  } catch {
    // Not what it said: that may be half of a secret.
    throw new Error(`${command}: its output is no JSON`);
  }
}

function leaseOf(credential: Tree, { command, apiVersion }: CredentialPlugin): Lease<HttpClientOptions> {
  const answered = credential.at('apiVersion').text;
  if (answered !== apiVersion) {
    throw new Error(`${command}: it is to use API version ${apiVersion}, and uses ${answered || 'none'}`);
  }
  const status = credential.at('status');
  const token = status.at('token').text;
  const [cert, key] = [status.at('clientCertificateData').text, status.at('clientKeyData').text];
  if ((cert === '') !== (key === '')) throw new Error(`${command}: a certificate and its key come together`);
  if (token === '' && cert === '') throw new Error(`${command}: it gave neither a token nor a certificate`);
  return {
    value: {
      ...(token === '' ? {} : { authorization: { type: 'Bearer', credentials: token } }),
      ...(cert === '' ? {} : { tls: { cert, key } }),
    },
    untilMs: Date.parse(status.at('expirationTimestamp').text) || Number.POSITIVE_INFINITY,
  };
}
