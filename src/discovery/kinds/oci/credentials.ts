// Who we are for Oracle's cloud:
//
//   api_key               the key of a user, in a file
//   instance_principal    the instance we run on: its certificate, from the metadata server, signs a request for a token
//                         that stands for a key of our own
//
//     169.254.169.254/opc/v2/identity/{cert,key,intermediate}.pem ──► auth.<region>.<realm>/v1/x509 ──► token

import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { Leased } from '../../../base/lease.js';
import type { SectionOf } from '../../../config/discovery-keys.js';
import type { Asker } from '../../http.js';
import type { Session } from '../../session.js';
import { parseJson } from '../../tree.js';
import { type OciKey, signedPost } from './sign.js';

/** A key, and whose it is. */
export interface OciIdentity {
  readonly tenancy: string;
  readonly key: OciKey;
}

type Section = SectionOf<'oci'>;

const METADATA = 'http://169.254.169.254/opc/v2/identity';
/** It answers at once or not at all. */
const METADATA_MS = 2000;
const EARLY_MS = 5 * 60_000;
/** What a token that does not say when it ends is good for. */
const TOKEN_MS = 20 * 60_000;
const SESSION_KEY_BITS = 2048;

export interface OciCredentials {
  get(): Promise<OciIdentity>;
}

export function ociCredentials(section: Section, session: Session): OciCredentials {
  if (section.auth === 'instance_principal') return new InstancePrincipal(section, session);
  return { get: async () => apiKey(section, session) };
}

/** Files are read each time: a key may be changed there. */
function apiKey(section: Section, { disk }: Session): OciIdentity {
  const { tenancy, user, fingerprint, keyFile, keyPassphrase, keyPassphraseFile } = section;
  const read = (path: string) => new TextDecoder().decode(disk.readFile(path));
  const passphrase =
    keyPassphraseFile === '' ? keyPassphrase?.reveal() : read(keyPassphraseFile).replace(/[\r\n]+$/, '');
  const privateKey = createPrivateKey({ key: read(keyFile), ...(passphrase ? { passphrase } : {}) });
  return { tenancy, key: { keyId: `${tenancy}/${user}/${fingerprint}`, privateKey } };
}

class InstancePrincipal implements OciCredentials {
  readonly #section: Section;
  readonly #session: Session;
  readonly #nearby: Asker;
  readonly #service: Asker;
  readonly #identity: Leased<OciIdentity>;

  constructor(section: Section, session: Session) {
    this.#section = section;
    this.#session = session;
    this.#nearby = session.askerOf({}, METADATA_MS);
    this.#service = session.asker(section, section.refreshIntervalMs);
    this.#identity = new Leased(session.clock, EARLY_MS, () => this.#lease());
  }

  get(): Promise<OciIdentity> {
    return this.#identity.get();
  }

  async #lease(): Promise<{ value: OciIdentity; untilMs: number }> {
    const certificate = await this.#metadata('cert.pem');
    const intermediate = await this.#metadata('intermediate.pem');
    const instanceKey = createPrivateKey(await this.#metadata('key.pem'));
    const own = await promisify(generateKeyPair)('rsa', { modulusLength: SESSION_KEY_BITS });
    const publicKey = String(own.publicKey.export({ type: 'spki', format: 'pem' }));
    const tenancy = tenancyOf(certificate);
    const token = await this.#token(
      { certificate: bare(certificate), publicKey: bare(publicKey), intermediateCertificates: [bare(intermediate)] },
      { keyId: `${tenancy}/fed-x509-sha256/${fingerprintOf(certificate)}`, privateKey: instanceKey },
    );
    return {
      value: { tenancy, key: { keyId: `ST$${token}`, privateKey: own.privateKey } },
      untilMs: endOf(token) ?? this.#session.clock.nowMs() + TOKEN_MS,
    };
  }

  async #token(request: Readonly<Record<string, unknown>>, key: OciKey): Promise<string> {
    const url = `https://auth.${this.#section.region}.${realmOf(this.#section.region)}/v1/x509`;
    const body = JSON.stringify({ ...request, fingerprintAlgorithm: 'SHA256' });
    const headers = signedPost(url, body, key, this.#session.clock.nowMs());
    const answer = await this.#service.json({ url, method: 'POST', headers, body: Buffer.from(body) });
    const token = answer.at('token').text;
    if (token === '') throw new Error('no token in the answer');
    return token;
  }

  async #metadata(name: string): Promise<string> {
    const headers = [['Authorization', 'Bearer Oracle']] as const;
    return (await this.#nearby.get({ url: `${METADATA}/${name}`, headers })).text;
  }
}

/** An instance's certificate names its tenancy in its subject. */
function tenancyOf(certificate: string): string {
  const match = /^(?:OU=opc-tenant|O=opc-identity):(.+)$/m.exec(new X509Certificate(certificate).subject);
  if (match === null) throw new Error("no tenancy in the instance's certificate");
  return match[1]!.trim();
}

function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256;
}

/** The middle of a PEM. */
function bare(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}

/** When a token says that it ends, in wall-clock ms. */
function endOf(token: string): number | undefined {
  try {
    const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return claims.at('exp').number * 1000 || undefined;
  } catch {
    return undefined;
  }
}

/** Domains of the realms that are not the commercial one, and the regions that are in them. */
const REALMS: readonly (readonly [domain: string, regions: RegExp])[] = [
  ['oraclegovcloud.com', /^us-(?:gov-|langley-|luke-)/],
  ['oraclegovcloud.uk', /^uk-gov-/],
  ['oraclecloud8.com', /^ap-(?:chiyoda|ibaraki)-/],
  ['oraclecloud9.com', /^me-dcc-muscat-/],
  ['oraclecloud10.com', /^ap-dcc-canberra-/],
  ['oraclecloud14.com', /^eu-dcc-/],
  ['oraclecloud.eu', /^eu-(?:frankfurt-2|madrid-2)$/],
];

export function realmOf(region: string): string {
  return REALMS.find(([, regions]) => regions.test(region))?.[0] ?? 'oraclecloud.com';
}
