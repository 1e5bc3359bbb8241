// The mechanisms that there are. Each is loaded when a configuration first asks for it.

import type { DiscoveryKind } from '../config/discovery.js';
import type { SectionOf } from '../config/discovery-keys.js';
import type { Session } from './session.js';

/**
 * Finds the targets of one section until its session ends, and resolves then. What goes wrong on the way it tells the
 * session, and tries again; it rejects only where trying again is of no use.
 */
export type Mechanism<K extends DiscoveryKind> = (section: SectionOf<K>, session: Session) => Promise<void>;

type Mechanisms = { readonly [K in DiscoveryKind]: () => Promise<Mechanism<K>> };

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
  elasticache: async () => (await import('./kinds/aws/elasticache.js')).discoverElastiCache,
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
  oci: async () => (await import('./kinds/oci/oci.js')).discoverOci,
  openstack: async () => (await import('./kinds/openstack.js')).discoverOpenStack,
  outscale: async () => (await import('./kinds/outscale.js')).discoverOutscale,
  ovhcloud: async () => (await import('./kinds/ovhcloud.js')).discoverOvh,
  puppetdb: async () => (await import('./kinds/puppetdb.js')).discoverPuppetDb,
  rds: async () => (await import('./kinds/aws/rds.js')).discoverRds,
  scaleway: async () => (await import('./kinds/scaleway.js')).discoverScaleway,
  serverset: async () => (await import('./kinds/zookeeper/serverset.js')).discoverServerset,
  stackit: async () => (await import('./kinds/stackit.js')).discoverStackit,
  triton: async () => (await import('./kinds/triton.js')).discoverTriton,
  uyuni: async () => (await import('./kinds/uyuni.js')).discoverUyuni,
  vultr: async () => (await import('./kinds/vultr.js')).discoverVultr,
};

/** Loads a kind's mechanism. */
export function loadMechanism<K extends DiscoveryKind>(kind: K): Promise<Mechanism<K>> {
  const load: () => Promise<Mechanism<K>> = MECHANISMS[kind];
  return load();
}
