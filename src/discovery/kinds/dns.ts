// dns_sd: hosts that name servers know under a name.
//
//   SRV        each record's host and port
//   A, AAAA    each address    ┐
//   MX, NS     each host       ┘ with the section's port
//
// Name servers and search list are the system's. A name that does not exist has no targets; one that nobody can be
// asked about keeps those it had. Source of a group: the name.

import { DiskError } from '../../base/disk.js';
import type { DnsRecord, RecordType } from '../../base/dns.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import { labelsOf } from '../../model/labels.js';
import { quote } from '../../model/quote.js';
import { hostPort, type SourcedGroup } from '../group.js';
import { refreshing } from '../refresh.js';
import type { Session } from '../session.js';

const RESOLV_CONF = '/etc/resolv.conf';

export function discoverDns(section: SectionOf<'dns'>, session: Session): Promise<void> {
  const { names, port, refreshIntervalMs } = section;
  const type = section.type.toUpperCase() as RecordType;
  const { metrics } = session;
  const known = new Map<string, SourcedGroup>();

  async function refresh(name: string): Promise<void> {
    metrics.dnsLookups.value++;
    try {
      const records = await lookup(session, name, type);
      known.set(name, groupOf(name, type, port, records));
    } catch (error) {
      metrics.dnsLookupFailures.value++;
      session.log.error('Error refreshing DNS targets', { err: error as Error });
    }
  }

  return refreshing(session, refreshIntervalMs, async () => {
    await Promise.all(names.map(refresh));
    return known.values();
  });
}

/** The records of the first name of the search list that has any. */
async function lookup(session: Session, name: string, type: RecordType): Promise<readonly DnsRecord[]> {
  const failures: string[] = [];
  for (const full of searchNames(name, resolvConf(session))) {
    try {
      const records = await session.resolver.lookup(full, type);
      if (records.length > 0) return records;
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  if (failures.length === 0) return [];
  throw new Error(
    `could not resolve ${quote(name)}: all servers responded with errors to at least one search domain: ${failures.join('; ')}`,
  );
}

export interface SearchRules {
  readonly search: readonly string[];
  /** A name with so many dots is tried as it is first. */
  readonly dots: number;
}

/** What a name may stand for, most likely first, as resolv.conf(5) says it. */
export function searchNames(name: string, { search, dots }: SearchRules): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const extended = search.map((domain) => `${name}.${domain}`);
  return name.split('.').length - 1 >= dots ? [name, ...extended] : [...extended, name];
}

export function parseResolvConf(text: string): SearchRules {
  let search: string[] = [];
  let dots = 1;
  for (const line of text.split('\n')) {
    const [keyword = '', ...words] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'domain') search = words.slice(0, 1);
    if (keyword === 'search') search = words;
    if (keyword !== 'options') continue;
    for (const word of words) dots = Number(/^ndots:(\d+)$/.exec(word)?.[1] ?? dots);
  }
  return { search: search.map((domain) => domain.replace(/\.$/, '')).filter((domain) => domain !== ''), dots };
}

function resolvConf({ disk }: Session): SearchRules {
  try {
    return parseResolvConf(new TextDecoder().decode(disk.readFile(RESOLV_CONF)));
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return { search: [], dots: 1 };
  }
}

/** Hosts are shown with the dot that ends a full name, and asked without it. */
function groupOf(name: string, type: RecordType, port: number, records: readonly DnsRecord[]): SourcedGroup {
  const targets = records.map(({ host, port: own }) =>
    labelsOf([
      ['__address__', hostPort(host, own ?? port)],
      ['__meta_dns_name', name],
      ['__meta_dns_srv_record_target', type === 'SRV' ? `${host}.` : ''],
      ['__meta_dns_srv_record_port', type === 'SRV' ? String(own) : ''],
      ['__meta_dns_mx_record_target', type === 'MX' ? `${host}.` : ''],
      ['__meta_dns_ns_record_target', type === 'NS' ? `${host}.` : ''],
    ]),
  );
  return { source: name, targets, labels: [] };
}
