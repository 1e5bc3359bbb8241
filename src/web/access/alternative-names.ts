// The names in a certificate beside its subject: hosts, addresses, mailboxes, URIs.

import type { X509Certificate } from 'node:crypto';

/** As Node prints them; a value that could be misread is a JSON string: `DNS:"a, DNS:b", IP Address:::1`. */
const NAME = /(DNS|IP Address|email|URI):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
/** One of another kind, which is passed over. */
const OTHER = /[^:,]*:(?:"(?:[^"\\]|\\.)*"|[^",])*(?:, |$)/y;

export function namesOf(certificate: X509Certificate): string[] {
  return parseNames(certificate.subjectAltName ?? '');
}

/** Stops at what it does not understand: a name that is not found lets nobody in. */
export function parseNames(printed: string): string[] {
  const names: string[] = [];
  for (let at = 0; at < printed.length; ) {
    NAME.lastIndex = at;
    OTHER.lastIndex = at;
    const match = NAME.exec(printed);
    if (match !== null) names.push(valueOf(match[1]!, match[2]!));
    const end = match === null ? endOfOther(printed) : NAME.lastIndex;
    if (end === undefined) break;
    at = end;
  }
  return names;
}

function endOfOther(printed: string): number | undefined {
  return OTHER.test(printed) ? OTHER.lastIndex : undefined;
}

function valueOf(kind: string, printed: string): string {
  const value = printed.startsWith('"') ? (JSON.parse(printed) as string) : printed;
  return kind === 'IP Address' ? shortAddress(value) : value;
}

/** `0:0:0:0:0:0:0:1` as `::1`, which is how people write it. */
function shortAddress(address: string): string {
  if (!address.includes(':')) return address;
  const url = `http://[${address}]`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}
