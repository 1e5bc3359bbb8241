// The door to DNS questions: nothing else asks a name server. (Connections resolve their hosts by themselves.)

import { Resolver as NodeResolver } from 'node:dns/promises';

export type RecordType = 'SRV' | 'A' | 'AAAA' | 'MX' | 'NS';

/** A record: the address or host it names, without a dot at the end, and a port where it has one. */
export interface DnsRecord {
  readonly host: string;
  readonly port?: number;
}

/** Asks the name servers of this machine. */
export interface Resolver {
  /** Records of exactly this name, without any search list; none where there is no such name. Throws for other failures. */
  lookup(name: string, type: RecordType): Promise<readonly DnsRecord[]>;
}

/** No such name, and no such record of it. */
const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** `servers`: addresses with ports, like `127.0.0.1:5353`; those of the system where not given. */
export function dnsResolver(servers?: readonly string[]): Resolver {
  return {
    async lookup(name, type) {
      // A new one each time: it reads the servers of the system when it is made, and they may change.
      const resolver = new NodeResolver({ timeout: TIMEOUT_MS, tries: TRIES });
      if (servers !== undefined) resolver.setServers([...servers]);
      try {
        return await ask(resolver, name, type);
      } catch (error) {
        if (NOTHING_THERE.has((error as NodeJS.ErrnoException).code ?? '')) return [];
        throw error;
      }
    },
  };
}

/** For one server's answer, as resolv.conf(5) has it; and how often each is asked. */
const TIMEOUT_MS = 5000;
const TRIES = 2;

async function ask(resolver: NodeResolver, name: string, type: RecordType): Promise<DnsRecord[]> {
  switch (type) {
    case 'SRV':
      return (await resolver.resolveSrv(name)).map(({ name: host, port }) => ({ host, port }));
    case 'MX':
      return (await resolver.resolveMx(name)).map(({ exchange }) => ({ host: exchange }));
    case 'NS':
      return (await resolver.resolveNs(name)).map((host) => ({ host }));
    case 'A':
      return (await resolver.resolve4(name)).map((host) => ({ host }));
    case 'AAAA':
      return (await resolver.resolve6(name)).map((host) => ({ host }));
  }
}
