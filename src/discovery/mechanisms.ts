// The mechanisms that there are. Each is loaded when a configuration first asks for it.

import type { DiscoveryConfig, DiscoveryKind } from '../config/discovery.js';
import type { SectionOf, TypedKind } from '../config/discovery-keys.js';
import type { Session } from './session.js';

/**
 * Finds the targets of one section until its session ends, and resolves then. What goes wrong on the way it tells the
 * session, and tries again; it rejects only where trying again is of no use.
 */
export type Mechanism<K extends TypedKind> = (section: SectionOf<K>, session: Session) => Promise<void>;

type Mechanisms = { readonly [K in TypedKind]?: () => Promise<Mechanism<K>> };

const MECHANISMS: Mechanisms = {
  aws: async () => (await import('./kinds/aws/aws.js')).discoverAws,
  azure: async () => (await import('./kinds/azure.js')).discoverAzure,
  consul: async () => (await import('./kinds/consul.js')).discoverConsul,
  digitalocean: async () => (await import('./kinds/digitalocean.js')).discoverDigitalOcean,
  dns: async () => (await import('./kinds/dns.js')).discoverDns,
  docker: async () => (await import('./kinds/docker.js')).discoverDocker,
  dockerswarm: async () => (await import('./kinds/dockerswarm.js')).discoverSwarm,
  ec2: async () => (await import('./kinds/aws/ec2.js')).discoverEc2,
  ecs: async () => (await import('./kinds/aws/ecs.js')).discoverEcs,
  eureka: async () => (await import('./kinds/eureka.js')).discoverEureka,
  file: async () => (await import('./kinds/file.js')).discoverFiles,
  gce: async () => (await import('./kinds/gce.js')).discoverGce,
  hetzner: async () => (await import('./kinds/hetzner.js')).discoverHetzner,
  http: async () => (await import('./kinds/http.js')).discoverHttp,
  ionos: async () => (await import('./kinds/ionos.js')).discoverIonos,
  kubernetes: async () => (await import('./kinds/kubernetes/kubernetes.js')).discoverKubernetes,
  kuma: async () => (await import('./kinds/kuma.js')).discoverKuma,
  lightsail: async () => (await import('./kinds/aws/lightsail.js')).discoverLightsail,
  linode: async () => (await import('./kinds/linode.js')).discoverLinode,
  marathon: async () => (await import('./kinds/marathon.js')).discoverMarathon,
  msk: async () => (await import('./kinds/aws/msk.js')).discoverMsk,
  nerve: async () => (await import('./kinds/zookeeper/nerve.js')).discoverNerve,
  nomad: async () => (await import('./kinds/nomad.js')).discoverNomad,
  openstack: async () => (await import('./kinds/openstack.js')).discoverOpenStack,
  outscale: async () => (await import('./kinds/outscale.js')).discoverOutscale,
  ovhcloud: async () => (await import('./kinds/ovhcloud.js')).discoverOvh,
  puppetdb: async () => (await import('./kinds/puppetdb.js')).discoverPuppetDb,
  scaleway: async () => (await import('./kinds/scaleway.js')).discoverScaleway,
  serverset: async () => (await import('./kinds/zookeeper/serverset.js')).discoverServerset,
  triton: async () => (await import('./kinds/triton.js')).discoverTriton,
  vultr: async () => (await import('./kinds/vultr.js')).discoverVultr,
};

/** How to load a kind's mechanism; undefined for kinds that nothing acts on yet. */
export function mechanismOf<K extends DiscoveryKind>(kind: K): (() => Promise<Mechanism<K & TypedKind>>) | undefined {
  return MECHANISMS[kind as K & TypedKind] as (() => Promise<Mechanism<K & TypedKind>>) | undefined;
}

/** Roles of `aws` that nothing acts on yet, though it does on others. */
const PENDING_AWS_ROLES: ReadonlySet<unknown> = new Set(['elasticache', 'rds']);

export function isActedOn({ kind, settings }: Pick<DiscoveryConfig, 'kind' | 'settings'>): boolean {
  if (kind === 'aws' && PENDING_AWS_ROLES.has(settings.get('role'))) return false;
  return mechanismOf(kind) !== undefined;
}
