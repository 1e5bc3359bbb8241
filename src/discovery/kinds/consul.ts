// consul_sd: services of a Consul catalog, and the instances of each with their health.
//
//   GET /v1/agent/self                        the datacenter, where the section names none
//   GET /v1/catalog/services                  names and tags      ┐ both wait for changes: `index` is the state that
//   GET /v1/health/service/<name>             instances           ┘ was seen, `wait` how long to wait for another
//
// One watch for the catalog and one for each service. Source of a group: the name of the service.

import type { HttpClientOptions } from '../../base/http.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import { httpOptionsOf } from '../../config/http-options.js';
import { type Labels, labelsOf } from '../../model/labels.js';
import { hostPort, labelPart, type SourcedGroup } from '../group.js';
import { type Asker, jsonOf, refusal } from '../http.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

const WAIT_SECONDS = 120;
/** A server that waits answers a little later than asked for: it adds up to a sixteenth. */
const ANSWER_MS = (WAIT_SECONDS + 15) * 1000;
const RETRY_MS = 15_000;

type Section = SectionOf<'consul'>;

export async function discoverConsul(section: Section, session: Session): Promise<void> {
  const api = new ConsulApi(section, session);
  while (!session.hasEnded && !(await api.connect())) await session.pause(RETRY_MS);
  const services = new ServiceWatches(api, section, session);
  const isEnough = section.services.length > 0 && section.tags.length === 0 && section.filter === '';
  if (isEnough) services.set(section.services);
  else {
    const catalog = { asker: api.asker(), isOver: false };
    const { filter } = section;
    await api.watch(catalog, 'catalog/services', { filter }, (answer) => services.set(wanted(answer, section)));
  }
  await services.ended;
}

/** Names of the services in a catalog that the section wants. */
function wanted(catalog: Tree, { services, tags }: Section): string[] {
  const named = catalog.entries.filter(([name]) => services.length === 0 || services.includes(name));
  return named.filter(([, given]) => tags.every((tag) => given.texts.includes(tag))).map(([name]) => name);
}

type Query = Readonly<Record<string, string | readonly string[]>>;

/** One question that is asked again and again. */
interface Watch {
  readonly asker: Asker;
  isOver: boolean;
}

class ConsulApi {
  readonly #section: Section;
  readonly #session: Session;
  readonly #http: HttpClientOptions;
  readonly #agent: Asker;
  readonly #base: string;
  datacenter: string;

  constructor(section: Section, session: Session) {
    this.#section = section;
    this.#session = session;
    this.#http = httpOf(section);
    this.#agent = session.askerOf(this.#http, RETRY_MS);
    const server = /^https?:\/\//.test(section.server) ? section.server : `${section.scheme}://${section.server}`;
    const prefix = section.pathPrefix.replace(/^\/*|\/*$/g, '');
    this.#base = `${server.replace(/\/+$/, '')}${prefix === '' ? '' : `/${prefix}`}/v1`;
    this.datacenter = section.datacenter;
  }

  /** Whether the server is there and we know its datacenter. */
  async connect(): Promise<boolean> {
    if (this.datacenter !== '') return true;
    try {
      const self = await this.#agent.json({
        url: `${this.#base}/agent/self`,
        headers: this.#headers,
      });
      this.datacenter = self.at('Config', 'Datacenter').text;
      if (this.datacenter === '') throw new Error('invalid value for Config.Datacenter');
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  /** Somebody to wait for changes. */
  asker(): Asker {
    return this.#session.askerOf(this.#http, ANSWER_MS);
  }

  /** Asks for the state of something each time it changes, until the session ends or `watch` is over. */
  async watch(watch: Watch, path: string, query: Query, onState: (state: Tree) => void): Promise<void> {
    const session = this.#session;
    const isOver = () => session.hasEnded || watch.isOver;
    let index = 0;
    while (!isOver()) {
      const startMs = session.clock.monotonicMs();
      try {
        const { state, index: newest } = await this.#ask(watch.asker, path, query, index);
        if (isOver()) break;
        // The same index: waiting ended and nothing had changed. A lower one: the server began anew.
        if (newest === 0 || newest !== index) onState(state);
        index = newest < index ? 0 : newest;
        await session.pause(this.#section.refreshIntervalMs - (session.clock.monotonicMs() - startMs));
      } catch (error) {
        if (isOver()) break;
        index = 0;
        this.#failed(error);
        await session.pause(RETRY_MS);
      }
    }
    watch.asker.close();
  }

  async #ask(asker: Asker, path: string, query: Query, index: number) {
    const { datacenter, namespace, partition, allowStale, nodeMeta } = this.#section;
    const { metrics, clock } = this.#session;
    const nodes = [...nodeMeta].map(([key, value]) => `${key}:${value}`);
    const parameters = new URLSearchParams();
    const all = { dc: datacenter, ns: namespace, partition, 'node-meta': nodes, ...query };
    for (const [name, values] of Object.entries(all)) {
      for (const value of [values].flat()) if (value !== '') parameters.append(name, value);
    }
    if (allowStale) parameters.set('stale', '');
    if (index > 0) parameters.set('index', String(index));
    parameters.set('wait', `${WAIT_SECONDS}s`);
    const startMs = clock.monotonicMs();
    const answer = await asker.ask({ url: `${this.#base}/${path}?${parameters}`, headers: this.#headers });
    const [endpoint = '', call = ''] = path.split('/');
    metrics.consulSeconds.with(endpoint, call).observe((clock.monotonicMs() - startMs) / 1000);
    if (answer.status !== 200) throw refusal(answer);
    return { state: jsonOf(answer), index: Number(answer.headers.get('x-consul-index') ?? 0) || 0 };
  }

  #failed(error: unknown): void {
    this.#session.metrics.consulFailures.value++;
    this.#session.failed(error);
  }

  get #headers(): (readonly [string, string])[] {
    const token = this.#section.token?.reveal() ?? '';
    return token === '' ? [] : [['X-Consul-Token', token]];
  }
}

/** The older keys `username` and `password` are basic authorization. */
function httpOf(section: Section): HttpClientOptions {
  const options = httpOptionsOf(section);
  if (section.username === '' && section.password === undefined) return options;
  return { ...options, basicAuth: { username: section.username, password: section.password?.reveal() } };
}

/** A watch for each service that there is. */
class ServiceWatches {
  readonly #api: ConsulApi;
  readonly #section: Section;
  readonly #session: Session;
  readonly #running = new Map<string, { watch: Watch; ended: Promise<void> }>();

  constructor(api: ConsulApi, section: Section, session: Session) {
    this.#api = api;
    this.#section = section;
    this.#session = session;
  }

  /** Resolves when all watches have ended. */
  get ended(): Promise<unknown> {
    return Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  set(names: readonly string[]): void {
    if (names.length === 0) this.#session.replace([]);
    const wanted = new Set(names);
    for (const [name, { watch }] of this.#running) {
      if (wanted.has(name)) continue;
      watch.isOver = true;
      watch.asker.close();
      this.#running.delete(name);
      this.#session.drop(name);
    }
    for (const name of names) if (!this.#running.has(name)) this.#start(name);
  }

  #start(name: string): void {
    const { tags, healthFilter } = this.#section;
    const watch = { asker: this.#api.asker(), isOver: false };
    const ended = this.#api.watch(
      watch,
      `health/service/${encodeURIComponent(name)}`,
      { tag: tags, filter: healthFilter },
      (instances) => this.#session.put(groupOf(name, instances, this.#section, this.#api.datacenter)),
    );
    this.#running.set(name, { watch, ended });
  }
}

function groupOf(name: string, instances: Tree, section: Section, datacenter: string): SourcedGroup {
  return {
    source: name,
    labels: labelsOf([
      ['__meta_consul_service', name],
      ['__meta_consul_dc', datacenter],
    ]),
    targets: instances.items.map((instance) => targetOf(instance, section.tagSeparator)),
  };
}

function targetOf(instance: Tree, separator: string): Labels {
  const node = instance.at('Node');
  const service = instance.at('Service');
  const own = service.at('Address').text;
  const each = (prefix: string, map: Tree) =>
    map.entries.map(([key, value]): [string, string] => [`__meta_consul_${prefix}_${labelPart(key)}`, value.text]);
  return labelsOf([
    ['__address__', hostPort(own || node.at('Address').text, service.at('Port').text)],
    ['__meta_consul_address', node.at('Address').text],
    ['__meta_consul_node', node.at('Node').text],
    // With separators on both sides, so that a pattern finds a tag wherever it stands.
    ['__meta_consul_tags', `${separator}${service.at('Tags').texts.join(separator)}${separator}`],
    ['__meta_consul_namespace', service.at('Namespace').text],
    ['__meta_consul_partition', service.at('Partition').text],
    ['__meta_consul_service_address', own],
    ['__meta_consul_service_port', service.at('Port').text],
    ['__meta_consul_service_id', service.at('ID').text],
    ['__meta_consul_health', healthOf(instance.at('Checks'))],
    ...each('metadata', node.at('Meta')),
    ...each('service_metadata', service.at('Meta')),
    ...each('tagged_address', node.at('TaggedAddresses')),
  ]);
}

/** The worst of all checks. */
function healthOf(checks: Tree): string {
  const ids = checks.items.map((check) => check.at('CheckID').text);
  if (ids.some((id) => id === '_node_maintenance' || id.startsWith('_service_maintenance:'))) return 'maintenance';
  const statuses = new Set(checks.items.map((check) => check.at('Status').text));
  return ['critical', 'warning'].find((status) => statuses.has(status)) ?? 'passing';
}
