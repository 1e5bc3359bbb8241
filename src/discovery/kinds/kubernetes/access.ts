// Where the Kubernetes API is and how it knows us: as the section says, as a kubeconfig file says, or as a pod of the
// cluster finds it.

import { dirname } from 'node:path';
import type { Disk } from '../../../base/disk.js';
import type { HttpClientOptions } from '../../../base/http.js';
import { resolvePath } from '../../../config/codec.js';
import { dataOf } from '../../../config/data.js';
import type { SectionOf } from '../../../config/discovery-keys.js';
import { YamlFile } from '../../../config/document.js';
import { httpOptionsOf } from '../../../config/http-options.js';
import type { CredentialPlugin } from './plugin.js';

export interface Access {
  /** Without a slash at its end. */
  readonly server: string;
  readonly http: HttpClientOptions;
  /** A program that knows who we are, where that is not in `http`. */
  readonly plugin?: CredentialPlugin;
}

/** What Kubernetes puts into every pod. */
const POD_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws an Error where there is no way. */
export function accessOf(section: SectionOf<'kubernetes'>, disk: Disk, environment: Environment = process.env): Access {
  if (section.kubeconfigFile !== '') return kubeconfigAccess(section.kubeconfigFile, disk);
  if (section.apiServer !== '') return { server: section.apiServer.replace(/\/+$/, ''), http: httpOptionsOf(section) };
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) {
    throw new Error(
      'unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must be defined',
    );
  }
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    http: {
      authorization: { type: 'Bearer', credentialsFile: `${POD_FOLDER}/token` },
      tls: { caFile: `${POD_FOLDER}/ca.crt` },
    },
  };
}

/** The namespace that this pod is in. */
export function ownNamespace(disk: Disk): string {
  return text(disk, `${POD_FOLDER}/namespace`).trim();
}

/** The current context of a kubeconfig file. Paths in it start at its folder. */
export function kubeconfigAccess(path: string, disk: Disk): Access {
  const file = new YamlFile(text(disk, path));
  const config = new Settings(file.root === null ? new Map() : dataOf(file.root, file));
  const context = config.named('contexts', config.text('current-context')).part('context');
  const cluster = config.named('clusters', context.text('cluster')).part('cluster');
  const user = config.named('users', context.text('user')).part('user');
  const server = cluster.text('server').replace(/\/+$/, '');
  if (server === '') throw new Error(`kubeconfig ${path}: the current context names no cluster with a server`);
  const provider = user.part('auth-provider').text('name');
  if (provider !== '') throw new Error(`kubeconfig ${path}: no auth provider found for name "${provider}"`);
  const folder = dirname(path);
  const inFile = (part: Settings, key: string) => resolvePath(folder, part.text(key)) || undefined;
  const inline = (part: Settings, key: string) => {
    const data = part.text(`${key}-data`);
    return data === '' ? undefined : Buffer.from(data, 'base64').toString();
  };
  const username = user.text('username');
  const tokenFile = inFile(user, 'tokenFile');
  const hasToken = tokenFile !== undefined || user.text('token') !== '';
  return {
    server,
    ...(user.part('exec').isGiven ? { plugin: pluginOf(user.part('exec'), cluster, path, disk) } : {}),
    http: {
      ...(username === '' ? {} : { basicAuth: { username, password: user.text('password') } }),
      ...(hasToken
        ? { authorization: { type: 'Bearer', credentials: user.text('token'), credentialsFile: tokenFile } }
        : {}),
      tls: {
        ca: inline(cluster, 'certificate-authority'),
        caFile: inFile(cluster, 'certificate-authority'),
        cert: inline(user, 'client-certificate'),
        certFile: inFile(user, 'client-certificate'),
        key: inline(user, 'client-key'),
        keyFile: inFile(user, 'client-key'),
        serverName: cluster.text('tls-server-name') || undefined,
        insecureSkipVerify: cluster.isTrue('insecure-skip-tls-verify'),
      },
      proxyUrl: cluster.text('proxy-url') || undefined,
    },
  };
}

const PLUGIN_VERSIONS: ReadonlySet<string> = new Set(['v1', 'v1beta1'].map((v) => `client.authentication.k8s.io/${v}`));

/** A command with a slash in it starts at the file's folder; others are looked for in PATH. */
function pluginOf(exec: Settings, cluster: Settings, path: string, disk: Disk): CredentialPlugin {
  const [apiVersion, command] = [exec.text('apiVersion'), exec.text('command')];
  if (!PLUGIN_VERSIONS.has(apiVersion)) throw new Error(`kubeconfig ${path}: exec: unknown apiVersion "${apiVersion}"`);
  if (command === '') throw new Error(`kubeconfig ${path}: exec: no command`);
  if (exec.text('interactiveMode') === 'Always') throw new Error(`kubeconfig ${path}: exec: nobody is here to talk to`);
  return {
    apiVersion,
    command: command.includes('/') ? resolvePath(dirname(path), command) : command,
    args: exec.list('args').map(String),
    environment: Object.fromEntries(
      exec.list('env').map((entry) => [new Settings(entry).text('name'), new Settings(entry).text('value')]),
    ),
    cluster: exec.isTrue('provideClusterInfo') ? clusterInfo(cluster, path, disk) : undefined,
  };
}

function clusterInfo(cluster: Settings, path: string, disk: Disk): Record<string, unknown> {
  const file = resolvePath(dirname(path), cluster.text('certificate-authority'));
  const inline = cluster.text('certificate-authority-data');
  return {
    server: cluster.text('server'),
    'tls-server-name': cluster.text('tls-server-name') || undefined,
    'insecure-skip-tls-verify': cluster.isTrue('insecure-skip-tls-verify') || undefined,
    'certificate-authority-data':
      inline || (file === '' ? undefined : Buffer.from(disk.readFile(file)).toString('base64')),
    'proxy-url': cluster.text('proxy-url') || undefined,
  };
}

/** A mapping of the file, whatever stands there. */
class Settings {
  readonly #map: ReadonlyMap<string, unknown>;

  constructor(data: unknown) {
    this.#map = data instanceof Map ? data : new Map();
  }

  get isGiven(): boolean {
    return this.#map.size > 0;
  }

  text(key: string): string {
    return String(this.#map.get(key) ?? '');
  }

  isTrue(key: string): boolean {
    return this.#map.get(key) === true;
  }

  part(key: string): Settings {
    return new Settings(this.#map.get(key));
  }

  list(key: string): readonly unknown[] {
    const list = this.#map.get(key);
    return Array.isArray(list) ? list : [];
  }

  /** The entry of a list with this `name`. */
  named(key: string, name: string): Settings {
    const entries = this.list(key).map((entry) => new Settings(entry));
    return entries.find((entry) => entry.text('name') === name) ?? new Settings(undefined);
  }
}

function text(disk: Disk, path: string): string {
  return new TextDecoder().decode(disk.readFile(path));
}
