// Where a transport connects to, and how errors name it.

import { isIP } from 'node:net';
import { HttpError, systemErrorText } from './error.js';

export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** No connection came about. Worded as Go's dialer does. */
export function dialError(address: Address, cause: Error): HttpError {
  // Where several addresses were tried, the first one's reason is told.
  const first = cause instanceof AggregateError ? (cause.errors[0] as Error) : cause;
  const { syscall, code, address: tried, port } = first as NodeJS.ErrnoException & { address?: string; port?: number };
  if (syscall === 'getaddrinfo' && address.kind === 'tcp') {
    const reason = code === 'ENOTFOUND' ? 'no such host' : systemErrorText(first);
    return new HttpError('dial', `dial tcp: lookup ${address.host}: ${reason}`, cause);
  }
  const where =
    address.kind === 'tcp' && tried !== undefined ? `tcp ${hostPort(tried, port ?? address.port)}` : networkOf(address);
  return new HttpError('dial', `dial ${where}: connect: ${systemErrorText(first)}`, cause);
}

/** Whether a text is an address of IPv4 or IPv6, without a zone. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

export function networkOf(address: Address): string {
  return address.kind === 'tcp' ? `tcp ${hostPort(address.host, address.port)}` : `unix ${address.path}`;
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
