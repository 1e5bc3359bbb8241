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

export interface Access {
  /** Without a slash at its end. */
  readonly server: string;
  readonly http: HttpClientOptions;
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
  for (const way of ['exec', 'auth-provider']) {
    if (user.part(way).isGiven) throw new Error(`kubeconfig ${path}: users with ${way} are not supported`);
  }
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

  /** The entry of a list with this `name`. */
  named(key: string, name: string): Settings {
    const list = this.#map.get(key);
    const entries = Array.isArray(list) ? list.map((entry) => new Settings(entry)) : [];
    return entries.find((entry) => entry.text('name') === name) ?? new Settings(undefined);
  }
}

function text(disk: Disk, path: string): string {
  return new TextDecoder().decode(disk.readFile(path));
}
