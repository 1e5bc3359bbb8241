// Addresses: where we listen, and as what others see us.

/** `--web.listen-address`: `host:port`, `:port` for all interfaces, `[::1]:port`. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  if (match === null || port > 65_535) throw new Error(`parse --web.listen-address "${text}": want host:port`);
  const host = match[1] ?? match[2]!;
  // All interfaces of both protocols, as Go has it.
  return { host: host === '' ? '::' : host, port };
}

/** `--web.external-url`, where it is given. */
export function parseExternalUrl(text: string): URL {
  if (/^["']|["']$/.test(text)) throw new Error('parse --web.external-url: URL must not begin or end with quotes');
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Told below.
  }
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Error(`parse --web.external-url "${text}": want http(s)://host/path`);
  return url;
}

/**
 * The address at which others see us: `--web.external-url`, else this machine's name and the port of the first
 * `--web.listen-address`. Ends with a slash.
 */
export function externalUrlOf(flag: string, listenAddress: string, hostname: string): URL {
  const url =
    flag === '' ? new URL(`http://${hostname}:${parseListenAddress(listenAddress).port}/`) : parseExternalUrl(flag);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** In front of every path: `--web.route-prefix`, else the path of the external URL. */
export function routePrefixOf(external: URL, routePrefix: string | undefined): string {
  return `/${(routePrefix ?? external.pathname).replace(/^\/+|\/+$/g, '')}`;
}

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * A target's URL as others can reach it. One on loopback gets our external host; if its port is ours it is
 * ourselves, and gets scheme and port too.
 */
export function globalUrl(targetUrl: string, external: URL, ownPort: number): string {
  const url = new URL(targetUrl);
  if (!LOOPBACK.has(url.hostname) || url.port === '') return targetUrl;
  const isSelf = url.port === String(ownPort);
  const base = isSelf ? external.origin : `${url.protocol}//${external.hostname}:${url.port}`;
  return base + url.pathname + url.search;
}
