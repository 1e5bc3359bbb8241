// Which requests go through a proxy: the rules of Go's httpproxy package, which Prometheus follows.

import { BlockList, isIP } from 'node:net';

export interface ProxyOptions {
  readonly proxyUrl?: string;
  /** Hosts, domains, addresses and networks that are asked directly; separated by commas. */
  readonly noProxy?: string;
  /** From HTTP_PROXY, HTTPS_PROXY and NO_PROXY instead. */
  readonly proxyFromEnvironment?: boolean;
  /** Sent with CONNECT. */
  readonly proxyConnectHeaders?: readonly (readonly [name: string, value: string])[];
}

/** The proxy for a URL; undefined where it is asked directly. */
export function proxyFor(
  url: URL,
  options: ProxyOptions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  if (options.proxyFromEnvironment === true) {
    const variable = (name: string) => environment[name.toUpperCase()] || environment[name.toLowerCase()] || '';
    const proxy = variable(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy');
    if (proxy === '' || isDirect(url, variable('no_proxy'))) return undefined;
    return proxy.includes('://') ? proxy : `http://${proxy}`;
  }
  const { proxyUrl, noProxy = '' } = options;
  if (proxyUrl === undefined || proxyUrl === '') return undefined;
  return noProxy !== '' && isDirect(url, noProxy) ? undefined : proxyUrl;
}

/** Whether a list of exceptions names a URL's host. This host itself is always an exception. */
function isDirect(url: URL, list: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  if (host === 'localhost' || host === '::1' || isInNetwork(host, '127.0.0.0/8')) return true;
  return list
    .split(',')
    .map((rule) => rule.trim().toLowerCase())
    .some((rule) => rule !== '' && names(rule, host, port));
}

function names(rule: string, host: string, port: string): boolean {
  if (rule === '*') return true;
  if (rule.includes('/')) return isInNetwork(host, rule);
  const withPort = /^(.*):(\d+)$/.exec(rule);
  // An IPv6 address without a port ends like one with.
  const [name, wantedPort] = withPort !== null && isIP(rule) === 0 ? [withPort[1]!, withPort[2]!] : [rule, port];
  if (wantedPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '');
  if (isIP(bare) !== 0) return bare === host;
  const domain = bare.replace(/^\*/, '');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function isInNetwork(host: string, network: string): boolean {
  const family = isIP(host);
  const [address = '', bits = ''] = network.split('/');
  const prefix = Number(bits);
  if (family === 0 || isIP(address) !== family || !/^\d{1,3}$/.test(bits) || prefix > (family === 4 ? 32 : 128))
    return false;
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
