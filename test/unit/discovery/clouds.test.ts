// Clouds: what is asked of each, page by page, and which labels the answers become.
// The answers are shortened from the documentation of each API.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import { endAll } from '../../support/discovery.js';
import { testReplay } from '../../support/replay.js';

after(endAll);

const bearer = 'authorization: {credentials: t}';

testReplay({
  name: 'digitalocean droplets',
  section: `digitalocean_sd_configs: [{${bearer}}]`,
  reply: ({ path, query, headers }) => {
    if (path !== '/api.digitalocean.com/v2/droplets' || headers.authorization !== 'Bearer t') return undefined;
    const droplet = (id: number, networks: unknown) => ({
      id,
      name: `d${id}`,
      status: 'active',
      features: ['backups', 'ipv6'],
      tags: id === 1 ? ['web'] : [],
      region: { slug: 'nyc3' },
      image: { slug: 'ubuntu-22-04', name: '22.04 x64' },
      size_slug: 's-1vcpu-1gb',
      vpc_uuid: 'vpc-1',
      networks,
    });
    const v4 = [
      { ip_address: '10.1.0.1', type: 'private' },
      { ip_address: '1.2.3.4', type: 'public' },
    ];
    if (query.get('page') === '2') {
      return { droplets: [droplet(2, { v4, v6: [] }), droplet(3, { v4: [], v6: [] })], links: { pages: {} } };
    }
    const v6 = [{ ip_address: '2001:db8::1', type: 'public' }];
    return {
      droplets: [droplet(1, { v4: [{ ip_address: '1.1.1.1', type: 'public' }], v6 })],
      links: { pages: { next: 'p' } },
    };
  },
  want: [
    {
      __address__: '1.1.1.1:80',
      __meta_digitalocean_droplet_id: '1',
      __meta_digitalocean_droplet_name: 'd1',
      __meta_digitalocean_features: ',backups,ipv6,',
      __meta_digitalocean_image: 'ubuntu-22-04',
      __meta_digitalocean_image_name: '22.04 x64',
      __meta_digitalocean_public_ipv4: '1.1.1.1',
      __meta_digitalocean_public_ipv6: '2001:db8::1',
      __meta_digitalocean_region: 'nyc3',
      __meta_digitalocean_size: 's-1vcpu-1gb',
      __meta_digitalocean_status: 'active',
      __meta_digitalocean_tags: ',web,',
      __meta_digitalocean_vpc: 'vpc-1',
    },
    {
      __address__: '1.2.3.4:80',
      __meta_digitalocean_droplet_id: '2',
      __meta_digitalocean_droplet_name: 'd2',
      __meta_digitalocean_features: ',backups,ipv6,',
      __meta_digitalocean_image: 'ubuntu-22-04',
      __meta_digitalocean_image_name: '22.04 x64',
      __meta_digitalocean_private_ipv4: '10.1.0.1',
      __meta_digitalocean_public_ipv4: '1.2.3.4',
      __meta_digitalocean_region: 'nyc3',
      __meta_digitalocean_size: 's-1vcpu-1gb',
      __meta_digitalocean_status: 'active',
      __meta_digitalocean_vpc: 'vpc-1',
    },
  ],
});

testReplay({
  name: 'digitalocean databases',
  section: `digitalocean_sd_configs: [{${bearer}, role: databases, port: 9273}]`,
  reply: ({ path }) =>
    path !== '/api.digitalocean.com/v2/databases'
      ? undefined
      : {
          databases: [
            {
              id: 'db-1',
              name: 'pg',
              engine: 'pg',
              version: '16',
              status: 'online',
              region: 'fra1',
              size: 'db-s-1vcpu-2gb',
              num_nodes: 2,
              connection: { host: 'pg.example.com', port: 25060 },
              private_connection: { host: 'private-pg.example.com' },
              tags: ['prod', 'a:b'],
            },
          ],
        },
  want: [
    {
      __address__: 'pg.example.com:9273',
      __meta_digitalocean_db_engine: 'pg',
      __meta_digitalocean_db_host: 'pg.example.com',
      __meta_digitalocean_db_id: 'db-1',
      __meta_digitalocean_db_name: 'pg',
      __meta_digitalocean_db_num_nodes: '2',
      __meta_digitalocean_db_private_host: 'private-pg.example.com',
      __meta_digitalocean_db_region: 'fra1',
      __meta_digitalocean_db_size: 'db-s-1vcpu-2gb',
      __meta_digitalocean_db_status: 'online',
      __meta_digitalocean_db_tag_a_b: 'true',
      __meta_digitalocean_db_tag_prod: 'true',
      __meta_digitalocean_db_version: '16',
    },
  ],
});

testReplay({
  name: 'hetzner cloud',
  section: `hetzner_sd_configs: [{role: hcloud, label_selector: "a=b", ${bearer}}]`,
  reply: ({ path, query }) => {
    if (path === '/api.hetzner.cloud/v1/networks') {
      return { networks: [{ id: 4711, name: 'my net' }], meta: { pagination: { next_page: null } } };
    }
    if (path !== '/api.hetzner.cloud/v1/servers' || query.get('label_selector') !== 'a=b') return undefined;
    if (query.get('page') === '1') return { servers: [], meta: { pagination: { next_page: 2 } } };
    const server = {
      id: 42,
      name: 'my-server',
      status: 'running',
      public_net: { ipv4: { ip: '1.2.3.4' }, ipv6: { ip: '2001:db8::/64' } },
      private_net: [
        { network: 4711, ip: '10.0.0.2' },
        { network: 1, ip: '10.9.0.2' },
      ],
      server_type: { name: 'cx11', cores: 1, cpu_type: 'shared', memory: 1, disk: 25 },
      location: { name: 'fsn1', network_zone: 'eu-central' },
      image: { name: 'ubuntu-20.04', description: 'Ubuntu', os_flavor: 'ubuntu', os_version: '20.04' },
      labels: { 'my-key': 'my-value', key: '' },
    };
    return { servers: [server], meta: { pagination: { next_page: null } } };
  },
  want: [
    {
      __address__: '1.2.3.4:80',
      __meta_hetzner_hcloud_cpu_cores: '1',
      __meta_hetzner_hcloud_cpu_type: 'shared',
      __meta_hetzner_hcloud_datacenter_location: 'fsn1',
      __meta_hetzner_hcloud_datacenter_location_network_zone: 'eu-central',
      __meta_hetzner_hcloud_disk_size_gb: '25',
      __meta_hetzner_hcloud_image_description: 'Ubuntu',
      __meta_hetzner_hcloud_image_name: 'ubuntu-20.04',
      __meta_hetzner_hcloud_image_os_flavor: 'ubuntu',
      __meta_hetzner_hcloud_image_os_version: '20.04',
      __meta_hetzner_hcloud_label_my_key: 'my-value',
      __meta_hetzner_hcloud_labelpresent_key: 'true',
      __meta_hetzner_hcloud_labelpresent_my_key: 'true',
      __meta_hetzner_hcloud_location: 'fsn1',
      __meta_hetzner_hcloud_location_network_zone: 'eu-central',
      __meta_hetzner_hcloud_memory_size_gb: '1',
      __meta_hetzner_hcloud_private_ipv4_my_net: '10.0.0.2',
      __meta_hetzner_hcloud_server_type: 'cx11',
      __meta_hetzner_public_ipv4: '1.2.3.4',
      __meta_hetzner_public_ipv6_network: '2001:db8::/64',
      __meta_hetzner_role: 'hcloud',
      __meta_hetzner_server_id: '42',
      __meta_hetzner_server_name: 'my-server',
      __meta_hetzner_server_status: 'running',
    },
  ],
});

testReplay({
  name: 'hetzner robot',
  section: 'hetzner_sd_configs: [{role: robot, basic_auth: {username: u, password: p}}]',
  reply: ({ path, headers }) => {
    if (path !== '/robot-ws.your-server.de/server' || headers.authorization !== 'Basic dTpw') return undefined;
    const subnet = [
      { ip: '123.123.124.0', mask: '29' },
      { ip: '2a01:4f8:111:4221::', mask: '64' },
    ];
    const server = {
      server_ip: '123.123.123.123',
      server_number: 321,
      server_name: 'server1',
      product: 'DS 3000',
      dc: 'NBG1-DC1',
      status: 'ready',
      cancelled: false,
      subnet,
    };
    return [{ server }];
  },
  want: [
    {
      __address__: '123.123.123.123:80',
      __meta_hetzner_datacenter: 'nbg1-dc1',
      __meta_hetzner_public_ipv4: '123.123.123.123',
      __meta_hetzner_public_ipv6_network: '2a01:4f8:111:4221::/64',
      __meta_hetzner_robot_cancelled: 'false',
      __meta_hetzner_robot_datacenter: 'nbg1-dc1',
      __meta_hetzner_robot_product: 'DS 3000',
      __meta_hetzner_role: 'robot',
      __meta_hetzner_server_id: '321',
      __meta_hetzner_server_name: 'server1',
      __meta_hetzner_server_status: 'ready',
    },
  ],
});

testReplay({
  name: 'linode',
  section: `linode_sd_configs: [{region: us-east, ${bearer}}]`,
  reply: ({ path, query, headers }) => {
    assert.equal(headers['x-filter'], '{"region":"us-east"}');
    const ip = (address: string, isPublic: boolean, rdns: string | null = null) => ({
      address,
      public: isPublic,
      rdns,
    });
    switch (path) {
      case '/api.linode.com/v4/networking/ips':
        return {
          data: [
            ip('45.33.82.151', true, 'li1.members.linode.com'),
            ip('96.126.108.16', true),
            ip('192.168.170.51', false),
          ],
          pages: 1,
        };
      case '/api.linode.com/v4/networking/ipv6/ranges':
        return {
          data: [
            { range: '2600:3c04:e001:456::', prefix: 64, route_target: '2600:3c03::f03c' },
            { range: '2600:3c04:e001:457::', prefix: 64, route_target: '2600::other' },
          ],
          pages: 1,
        };
      case '/api.linode.com/v4/linode/instances': {
        if (query.get('page') === '1') return { data: [{ id: 1, ipv4: [] }], pages: 2 };
        const instance = {
          id: 26838044,
          label: 'one',
          group: '',
          status: 'running',
          type: 'g6-standard-2',
          ipv4: ['45.33.82.151', '96.126.108.16', '192.168.170.51'],
          ipv6: '2600:3c03::f03c/128',
          image: 'linode/arch',
          region: 'us-east',
          specs: { disk: 81920, memory: 4096, vcpus: 2, gpus: 0, transfer: 4000 },
          backups: { enabled: false },
          hypervisor: 'kvm',
          tags: ['monitoring'],
        };
        return { data: [instance], pages: 2 };
      }
      default:
        return undefined;
    }
  },
  want: [
    {
      __address__: '45.33.82.151:80',
      __meta_linode_backups: 'disabled',
      __meta_linode_extra_ips: ',96.126.108.16,',
      __meta_linode_gpus: '0',
      __meta_linode_hypervisor: 'kvm',
      __meta_linode_image: 'linode/arch',
      __meta_linode_instance_id: '26838044',
      __meta_linode_instance_label: 'one',
      __meta_linode_ipv6_ranges: ',2600:3c04:e001:456::/64,',
      __meta_linode_private_ipv4: '192.168.170.51',
      __meta_linode_public_ipv4: '45.33.82.151',
      __meta_linode_public_ipv4_rdns: 'li1.members.linode.com',
      __meta_linode_public_ipv6: '2600:3c03::f03c',
      __meta_linode_region: 'us-east',
      __meta_linode_specs_disk_bytes: '85899345920',
      __meta_linode_specs_memory_bytes: '4294967296',
      __meta_linode_specs_transfer_bytes: '4194304000',
      __meta_linode_specs_vcpus: '2',
      __meta_linode_status: 'running',
      __meta_linode_tags: ',monitoring,',
      __meta_linode_type: 'g6-standard-2',
    },
  ],
});

testReplay({
  name: 'vultr',
  section: `vultr_sd_configs: [{${bearer}, port: 9100}]`,
  reply: ({ path, query }) => {
    if (path !== '/api.vultr.com/v2/instances') return undefined;
    if (query.get('cursor') === '') return { instances: [], meta: { links: { next: 'next==' } } };
    if (query.get('cursor') !== 'next==') return undefined;
    const instance = {
      id: 'i-1',
      os: 'Marketplace',
      ram: 4096,
      disk: 128,
      main_ip: '149.28.234.27',
      vcpu_count: 2,
      region: 'ewr',
      plan: 'vhf-2c-4gb',
      allowed_bandwidth: 3000,
      server_status: 'ok',
      internal_ip: '10.1.96.5',
      label: 'np-2',
      v6_main_ip: '',
      hostname: 'np-2',
      os_id: 426,
      features: ['backups'],
      tags: ['tag1', 'tag2'],
    };
    return { instances: [instance], meta: { links: { next: '' } } };
  },
  want: [
    {
      __address__: '149.28.234.27:9100',
      __meta_vultr_instance_allowed_bandwidth_gb: '3000',
      __meta_vultr_instance_disk_gb: '128',
      __meta_vultr_instance_features: ',backups,',
      __meta_vultr_instance_hostname: 'np-2',
      __meta_vultr_instance_id: 'i-1',
      __meta_vultr_instance_internal_ip: '10.1.96.5',
      __meta_vultr_instance_label: 'np-2',
      __meta_vultr_instance_main_ip: '149.28.234.27',
      __meta_vultr_instance_os: 'Marketplace',
      __meta_vultr_instance_os_id: '426',
      __meta_vultr_instance_plan: 'vhf-2c-4gb',
      __meta_vultr_instance_ram_mb: '4096',
      __meta_vultr_instance_region: 'ewr',
      __meta_vultr_instance_server_status: 'ok',
      __meta_vultr_instance_tags: ',tag1,tag2,',
      __meta_vultr_instance_vcpu_count: '2',
    },
  ],
});

testReplay({
  name: 'scaleway instances',
  section:
    'scaleway_sd_configs: [{role: instance, project_id: p1, access_key: SCWX, secret_key: s1, name_filter: web, tags_filter: [a, b], zone: nl-ams-1}]',
  reply: ({ path, query, headers }) => {
    if (path !== '/api.scaleway.com/instance/v1/zones/nl-ams-1/servers' || headers['x-auth-token'] !== 's1')
      return undefined;
    if (query.get('project') !== 'p1' || query.get('name') !== 'web' || query.get('tags') !== 'a,b') return undefined;
    const empty = Array.from({ length: 100 }, (_, index) => ({ id: `none-${index}` }));
    if (query.get('page') === '1') return { servers: empty };
    const server = {
      id: 'i-1',
      name: 'web-1',
      hostname: 'web-host',
      boot_type: 'local',
      state: 'running',
      commercial_type: 'DEV1-S',
      image: { id: 'im-1', name: 'Ubuntu', arch: 'x86_64' },
      private_ip: '10.70.60.57',
      public_ip: { address: '51.158.183.115' },
      public_ips: [{ address: '51.158.183.115' }, { address: '2001:bc8::1' }],
      organization: 'o1',
      project: 'p1',
      location: { cluster_id: '40', hypervisor_id: '1601', node_id: '29', zone_id: 'par1' },
      security_group: { id: 'sg-1', name: 'Default' },
      tags: ['a', 'b'],
      zone: 'nl-ams-1',
    };
    return { servers: [server] };
  },
  want: [
    {
      __address__: '10.70.60.57:80',
      __meta_scaleway_instance_boot_type: 'local',
      __meta_scaleway_instance_hostname: 'web-host',
      __meta_scaleway_instance_id: 'i-1',
      __meta_scaleway_instance_image_arch: 'x86_64',
      __meta_scaleway_instance_image_id: 'im-1',
      __meta_scaleway_instance_image_name: 'Ubuntu',
      __meta_scaleway_instance_location_cluster_id: '40',
      __meta_scaleway_instance_location_hypervisor_id: '1601',
      __meta_scaleway_instance_location_node_id: '29',
      __meta_scaleway_instance_name: 'web-1',
      __meta_scaleway_instance_organization_id: 'o1',
      __meta_scaleway_instance_private_ipv4: '10.70.60.57',
      __meta_scaleway_instance_project_id: 'p1',
      __meta_scaleway_instance_public_ipv4: '51.158.183.115',
      __meta_scaleway_instance_public_ipv4_addresses: ',51.158.183.115,',
      __meta_scaleway_instance_public_ipv6: '2001:bc8::1',
      __meta_scaleway_instance_public_ipv6_addresses: ',2001:bc8::1,',
      __meta_scaleway_instance_region: 'nl-ams',
      __meta_scaleway_instance_security_group_id: 'sg-1',
      __meta_scaleway_instance_security_group_name: 'Default',
      __meta_scaleway_instance_status: 'running',
      __meta_scaleway_instance_tags: ',a,b,',
      __meta_scaleway_instance_type: 'DEV1-S',
      __meta_scaleway_instance_zone: 'nl-ams-1',
    },
  ],
});

testReplay({
  name: 'scaleway bare metal',
  section:
    'scaleway_sd_configs: [{role: baremetal, project_id: p1, access_key: SCWX, secret_key: s1, api_url: "$URL"}]',
  reply: ({ path }) => {
    const base = '/baremetal/v1/zones/fr-par-1/';
    if (path === `${base}offers`) return { offers: [{ id: 'of-1', name: 'GP-BM1-M' }] };
    if (path === `${base}os`) return { os: [{ id: 'os-1', name: 'Ubuntu', version: '22.04' }] };
    if (path !== `${base}servers`) return undefined;
    const server = {
      id: 'b-1',
      name: 'metal',
      status: 'ready',
      offer_id: 'of-1',
      install: { os_id: 'os-1' },
      ips: [{ address: '2001:bc8::2' }, { address: '51.1.1.1' }],
      project_id: 'p1',
      tags: ['x'],
      zone: 'fr-par-1',
    };
    return { servers: [server] };
  },
  want: [
    {
      __address__: '51.1.1.1:80',
      __meta_scaleway_baremetal_id: 'b-1',
      __meta_scaleway_baremetal_name: 'metal',
      __meta_scaleway_baremetal_os_name: 'Ubuntu',
      __meta_scaleway_baremetal_os_version: '22.04',
      __meta_scaleway_baremetal_project_id: 'p1',
      __meta_scaleway_baremetal_public_ipv4: '51.1.1.1',
      __meta_scaleway_baremetal_public_ipv6: '2001:bc8::2',
      __meta_scaleway_baremetal_status: 'ready',
      __meta_scaleway_baremetal_tags: ',x,',
      __meta_scaleway_baremetal_type: 'GP-BM1-M',
      __meta_scaleway_baremetal_zone: 'fr-par-1',
    },
  ],
});

testReplay({
  name: 'ionos',
  section: `ionos_sd_configs: [{datacenter_id: dc-1, ${bearer}}]`,
  reply: ({ path, query }) => {
    if (path !== '/api.ionos.com/cloudapi/v6/datacenters/dc-1/servers' || query.get('depth') !== '3') return undefined;
    const nic = (name: string | undefined, ips: string[]) => ({ properties: { name, ips } });
    const server = {
      id: 's-1',
      metadata: { state: 'AVAILABLE' },
      properties: {
        name: 'prometheus-2',
        availabilityZone: 'ZONE_2',
        vmState: 'RUNNING',
        cpuFamily: 'INTEL',
        type: 'ENTERPRISE',
        bootCdrom: { id: 'cd-1' },
        bootVolume: { id: 'v-1' },
      },
      entities: {
        nics: { items: [nic('metrics', ['85.0.0.1']), nic(undefined, ['185.0.0.1', '85.0.0.2'])] },
        volumes: { items: [{ id: 'v-1', properties: { image: 'im-1' } }] },
      },
    };
    return { id: 'dc-1/servers', items: [server, { id: 's-2', properties: {}, entities: {} }] };
  },
  want: [
    {
      __address__: '85.0.0.1:80',
      __meta_ionos_server_availability_zone: 'ZONE_2',
      __meta_ionos_server_boot_cdrom_id: 'cd-1',
      __meta_ionos_server_boot_image_id: 'im-1',
      __meta_ionos_server_boot_volume_id: 'v-1',
      __meta_ionos_server_cpu_family: 'INTEL',
      __meta_ionos_server_id: 's-1',
      __meta_ionos_server_ip: ',85.0.0.1,185.0.0.1,85.0.0.2,',
      __meta_ionos_server_lifecycle: 'AVAILABLE',
      __meta_ionos_server_name: 'prometheus-2',
      __meta_ionos_server_nic_ip_metrics: ',85.0.0.1,',
      __meta_ionos_server_nic_ip_unnamed: ',185.0.0.1,85.0.0.2,',
      __meta_ionos_server_servers_id: 'dc-1/servers',
      __meta_ionos_server_state: 'RUNNING',
      __meta_ionos_server_type: 'ENTERPRISE',
    },
  ],
});

const SERVER_TIME = 1_700_000_000;

testReplay({
  name: 'ovhcloud vps',
  section: 'ovhcloud_sd_configs: [{service: vps, application_key: ak, application_secret: as, consumer_key: ck}]',
  reply: ({ path, headers }) => {
    if (path === '/eu.api.ovh.com/1.0/auth/time') return SERVER_TIME;
    const time = Number(headers['x-ovh-timestamp']);
    const isSigned =
      headers['x-ovh-application'] === 'ak' &&
      Math.abs(time - SERVER_TIME) < 60 &&
      /^\$1\$[0-9a-f]{40}$/.test(String(headers['x-ovh-signature']));
    if (!isSigned) return undefined;
    if (path === '/eu.api.ovh.com/1.0/vps') return ['abc'];
    if (path === '/eu.api.ovh.com/1.0/vps/abc/ips') return ['2001:db8::1', '192.0.2.1'];
    if (path !== '/eu.api.ovh.com/1.0/vps/abc') return undefined;
    return {
      cluster: 'c1',
      displayName: 'abc',
      keymap: null,
      memoryLimit: 2048,
      model: {
        datacenter: [],
        disk: 40,
        memory: 2048,
        name: 'vps-value',
        offer: 'VPS abc',
        vcore: 1,
        version: '2019v1',
        maximumAdditionnalIp: 16,
      },
      monitoringIpBlocks: ['1.2.3.4/29'],
      name: 'abc',
      netbootMode: 'local',
      offerType: 'ssd',
      state: 'running',
      vcore: 1,
      zone: 'zone',
    };
  },
  want: [
    {
      __address__: '192.0.2.1',
      __meta_ovhcloud_vps_cluster: 'c1',
      __meta_ovhcloud_vps_datacenter: '[]',
      __meta_ovhcloud_vps_disk: '40',
      __meta_ovhcloud_vps_display_name: 'abc',
      __meta_ovhcloud_vps_ipv4: '192.0.2.1',
      __meta_ovhcloud_vps_ipv6: '2001:db8::1',
      __meta_ovhcloud_vps_maximum_additional_ip: '16',
      __meta_ovhcloud_vps_memory: '2048',
      __meta_ovhcloud_vps_memory_limit: '2048',
      __meta_ovhcloud_vps_model_name: 'vps-value',
      __meta_ovhcloud_vps_model_vcore: '1',
      __meta_ovhcloud_vps_monitoring_ip_blocks: '[1.2.3.4/29]',
      __meta_ovhcloud_vps_name: 'abc',
      __meta_ovhcloud_vps_netboot_mode: 'local',
      __meta_ovhcloud_vps_offer: 'VPS abc',
      __meta_ovhcloud_vps_offer_type: 'ssd',
      __meta_ovhcloud_vps_state: 'running',
      __meta_ovhcloud_vps_vcore: '1',
      __meta_ovhcloud_vps_version: '2019v1',
      __meta_ovhcloud_vps_zone: 'zone',
      instance: 'abc',
    },
  ],
});

testReplay({
  name: 'ovhcloud dedicated servers',
  section:
    'ovhcloud_sd_configs: [{service: dedicated_server, endpoint: "$URL/1.0", application_key: ak, application_secret: as, consumer_key: ck}]',
  reply: ({ path }) => {
    if (path === '/1.0/auth/time') return SERVER_TIME;
    if (path === '/1.0/dedicated/server') return ['abcde'];
    if (path === '/1.0/dedicated/server/abcde/ips') return ['1.2.3.4/32', '2001:db8::/64'];
    if (path !== '/1.0/dedicated/server/abcde') return undefined;
    return { name: 'abcde', os: 'debian11_64', serverId: 1234, state: 'ok', noIntervention: false, datacenter: 'gra3' };
  },
  want: [
    {
      __address__: '1.2.3.4',
      __meta_ovhcloud_dedicated_server_datacenter: 'gra3',
      __meta_ovhcloud_dedicated_server_ipv4: '1.2.3.4',
      __meta_ovhcloud_dedicated_server_ipv6: '2001:db8::',
      __meta_ovhcloud_dedicated_server_name: 'abcde',
      __meta_ovhcloud_dedicated_server_no_intervention: 'false',
      __meta_ovhcloud_dedicated_server_os: 'debian11_64',
      __meta_ovhcloud_dedicated_server_server_id: '1234',
      __meta_ovhcloud_dedicated_server_state: 'ok',
      instance: 'abcde',
    },
  ],
});
