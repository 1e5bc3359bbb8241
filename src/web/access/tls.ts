// TLS of our doors: what the web configuration asks for, with its files read and tried, ready for an engine.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Disk } from '../../base/disk.js';
import { ConfigError } from '../../config/error.js';
import { readText } from '../../config/load.js';
import { CIPHERS, CURVES, type TlsServerConfig, type TlsVersion } from '../../config/web-config.js';
import type { DoorTls } from '../door.js';
import { namesOf } from './alternative-names.js';

/** Who of a client's certificate is wanted: it is asked for, it must be there, it must be good where it is there. */
interface ClientPolicy {
  readonly asks: boolean;
  readonly needs: boolean;
  readonly verifies: boolean;
}

const POLICIES: ReadonlyMap<string, ClientPolicy> = new Map([
  ['', { asks: false, needs: false, verifies: false }],
  ['NoClientCert', { asks: false, needs: false, verifies: false }],
  ['RequestClientCert', { asks: true, needs: false, verifies: false }],
  ['RequireAnyClientCert', { asks: true, needs: true, verifies: false }],
  ['RequireClientCert', { asks: true, needs: true, verifies: false }],
  ['VerifyClientCertIfGiven', { asks: true, needs: false, verifies: true }],
  ['RequireAndVerifyClientCert', { asks: true, needs: true, verifies: true }],
]);

const VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const satisfies Record<
  TlsVersion,
  string
>;

/** Those of TLS 1.3 are always offered: the list of the file is about older versions. */
const TLS13_CIPHERS = [...CIPHERS.values()].filter((name) => name.startsWith('TLS_'));

/** undefined where the section asks for none. Throws ConfigError in the words of those who share the format. */
export function readTls(config: TlsServerConfig, disk: Disk): DoorTls | undefined {
  const { cert, certFile, clientAuthType, clientCa, clientCaFile } = config;
  const hasCert = cert !== '' || certFile !== '';
  const hasKey = !config.key.isEmpty || config.keyFile !== '';
  if (!hasCert && !hasKey && clientAuthType === '' && clientCa === '' && clientCaFile === '') return undefined;
  if (!hasCert) throw new ConfigError('missing one of cert or cert_file');
  if (!hasKey) throw new ConfigError('missing one of key or key_file');
  const certText = certFile === '' ? cert : readNamed(disk, 'cert_file', certFile);
  const keyText = config.keyFile === '' ? config.key.reveal() : readNamed(disk, 'key_file', config.keyFile);
  checkPair(certText, keyText);
  const ca = clientCaFile === '' ? clientCa : readText(disk, clientCaFile);
  const policy = POLICIES.get(clientAuthType);
  if ((clientCa !== '' || clientCaFile !== '') && policy?.asks === false) {
    throw new ConfigError("client CA's have been configured without a Client Auth Policy");
  }
  if (policy === undefined) throw new ConfigError(`invalid ClientAuth: ${clientAuthType}`);
  return {
    cert: certText,
    key: keyText,
    ...(clientCa !== '' || clientCaFile !== '' ? { ca: certificatesOf(ca) } : {}),
    minVersion: VERSIONS[config.minVersion],
    maxVersion: VERSIONS[config.maxVersion],
    ciphers: cipherList(config.cipherSuites),
    curves: config.curvePreferences.map((name) => CURVES.get(name)!).join(':'),
    serverChooses: config.preferServerCipherSuites,
    asksClient: policy.asks,
    admits: (client, isVerified) => admits(policy, config.clientAllowedSans, client, isVerified),
  };
}

/** The files whose change is a change of the settings. */
export function tlsFiles({ certFile, keyFile, clientCaFile }: TlsServerConfig): string[] {
  return [certFile, keyFile, clientCaFile].filter((path) => path !== '');
}

function admits(
  policy: ClientPolicy,
  allowedNames: readonly string[],
  client: X509Certificate | undefined,
  isVerified: boolean,
): boolean {
  if (!policy.asks) return true;
  if (client === undefined) return !policy.needs;
  if (policy.verifies && !isVerified) return false;
  return allowedNames.length === 0 || namesOf(client).some((name) => allowedNames.includes(name));
}

function cipherList(names: readonly string[]): string {
  if (names.length === 0) return '';
  const older = names.map((name) => CIPHERS.get(name)!).filter((name) => !TLS13_CIPHERS.includes(name));
  return [...TLS13_CIPHERS, ...older].join(':');
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** What is no certificate is passed over, so an authority may be nobody. */
function certificatesOf(pem: string): string[] {
  return pem.match(CERTIFICATE) ?? [];
}

/** Whether certificate and key are what they say, and belong together. */
function checkPair(certPem: string, keyPem: string): void {
  const fail = (why: string) => new ConfigError(`failed to load X509KeyPair: tls: ${why}`);
  const [leaf] = certificatesOf(certPem);
  if (leaf === undefined) {
    throw /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(certPem)
      ? fail(
          'failed to find certificate PEM data in certificate input, but did find a private key; ' +
            'PEM inputs may have been switched',
        )
      : fail('failed to find any PEM data in certificate input');
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(keyPem)) {
    throw certificatesOf(keyPem).length > 0
      ? fail('found a certificate rather than a key in the PEM for the private key')
      : fail('failed to find any PEM data in key input');
  }
  const certificate = parsed(() => new X509Certificate(leaf));
  if (certificate === undefined) throw fail('failed to parse certificate');
  const key = parsed(() => createPrivateKey(keyPem));
  if (key === undefined) throw fail('failed to parse private key');
  if (!certificate.checkPrivateKey(key)) throw fail('private key does not match public key');
}

/** undefined where it is none; what the parser says could show bytes of a key. */
function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

function readNamed(disk: Disk, what: string, path: string): string {
  try {
    return readText(disk, path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`failed to read ${what} (${path}): ${error.message}`);
  }
}
