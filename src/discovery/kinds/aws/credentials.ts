// Who we are for AWS, in the order that its own tools look:
//
//   keys of the section ► environment ► web identity ► profile file ► container ► instance (IMDSv2)
//                                        then, where the section names a role, STS gives its keys
//
// Keys that expire are got anew five minutes before.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { DiskError } from '../../../base/disk.js';
import type { HttpClientOptions } from '../../../base/http.js';
import { type Lease, Leased } from '../../../base/lease.js';
import type { Asker } from '../../http.js';
import type { Session } from '../../session.js';
import { parseJson, type Tree } from '../../tree.js';
import { parseXml } from '../../xml.js';
import { type AwsKeys, signedHeaders } from './sign.js';

export interface AwsIdentity {
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly profile: string;
  readonly roleArn: string;
  readonly externalId: string;
}

type KeyLease = Lease<AwsKeys>;

type Environment = Readonly<Record<string, string | undefined>>;

const EARLY_MS = 5 * 60_000;
/** These answer at once or not at all. */
const METADATA_MS = 2000;
const STS_MS = 30_000;
const STS_VERSION = '2011-06-15';
const METADATA = 'http://169.254.169.254/latest';
const SESSION_NAME = 'narthex';

export class AwsCredentials {
  readonly #identity: AwsIdentity;
  readonly #session: Session;
  readonly #sts: Asker;
  readonly #nearby: Asker;
  readonly #environment: Environment;
  readonly #keys: Leased<AwsKeys>;
  #region: string;

  constructor(
    identity: AwsIdentity,
    http: HttpClientOptions,
    session: Session,
    environment: Environment = process.env,
  ) {
    this.#identity = identity;
    this.#sts = session.askerOf(http, STS_MS);
    this.#nearby = session.askerOf({}, METADATA_MS);
    this.#session = session;
    this.#environment = environment;
    this.#keys = new Leased(session.clock, EARLY_MS, () => this.#lease());
    this.#region = identity.region || environment.AWS_REGION || environment.AWS_DEFAULT_REGION || '';
  }

  /** The section's region, or the environment's, or that of the instance we run on. */
  async region(): Promise<string> {
    if (this.#region === '') this.#region = await this.#metadata('meta-data/placement/region');
    return this.#region;
  }

  keys(): Promise<AwsKeys> {
    return this.#keys.get();
  }

  async #lease(): Promise<KeyLease> {
    const own = await this.#own();
    return this.#identity.roleArn === '' ? own : this.#assumed(own.value);
  }

  async #own(): Promise<KeyLease> {
    const { accessKey, secretKey, profile } = this.#identity;
    const environment = this.#environment;
    if (accessKey !== '' && secretKey !== '') return forEver({ accessKey, secretKey });
    if (profile === '') {
      const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment;
      if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
        return forEver({
          accessKey: AWS_ACCESS_KEY_ID,
          secretKey: AWS_SECRET_ACCESS_KEY,
          sessionToken: AWS_SESSION_TOKEN,
        });
      }
      if (environment.AWS_WEB_IDENTITY_TOKEN_FILE && environment.AWS_ROLE_ARN) return this.#webIdentity();
    }
    const ofProfile = this.#ofProfile(profile || environment.AWS_PROFILE || 'default');
    if (ofProfile !== undefined) return ofProfile;
    if (profile !== '') throw new Error(`no credentials in profile ${profile}`);
    const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative, AWS_CONTAINER_CREDENTIALS_FULL_URI: full } = environment;
    if (relative) return this.#ofContainer(`http://169.254.170.2${relative}`);
    if (full) return this.#ofContainer(full);
    return this.#ofInstance();
  }

  #webIdentity(): Promise<KeyLease> {
    const { AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, AWS_WEB_IDENTITY_TOKEN_FILE } = this.#environment;
    const token = new TextDecoder().decode(this.#session.disk.readFile(AWS_WEB_IDENTITY_TOKEN_FILE!)).trim();
    return this.#temporary('AssumeRoleWithWebIdentity', {
      RoleArn: AWS_ROLE_ARN!,
      RoleSessionName: AWS_ROLE_SESSION_NAME || SESSION_NAME,
      WebIdentityToken: token,
    });
  }

  #assumed(keys: AwsKeys): Promise<KeyLease> {
    const { roleArn, externalId } = this.#identity;
    const parameters = { RoleArn: roleArn, RoleSessionName: SESSION_NAME };
    return this.#temporary(
      'AssumeRole',
      externalId === '' ? parameters : { ...parameters, ExternalId: externalId },
      keys,
    );
  }

  async #temporary(action: string, parameters: Readonly<Record<string, string>>, keys?: AwsKeys): Promise<KeyLease> {
    const region = await this.region();
    const url = this.#environment.AWS_ENDPOINT_URL_STS || `https://sts.${region}.${domainOf(region)}/`;
    const body = String(new URLSearchParams({ Action: action, Version: STS_VERSION, ...parameters }));
    const headers = [['Content-Type', 'application/x-www-form-urlencoded']] as const;
    const request = { method: 'POST', url, headers, body, service: 'sts', region } as const;
    const answer = await this.#sts.get({
      url,
      method: 'POST',
      body: Buffer.from(body),
      headers: keys === undefined ? headers : signedHeaders(request, keys, this.#session.clock.nowMs()),
    });
    const given = parseXml(answer.text).at(`${action}Response`, `${action}Result`, 'Credentials');
    return leaseOf(given, 'SecretAccessKey', 'SessionToken');
  }

  /** Keys of a profile in the shared file. */
  #ofProfile(profile: string): KeyLease | undefined {
    const path = this.#environment.AWS_SHARED_CREDENTIALS_FILE || join(homedir(), '.aws', 'credentials');
    let text: string;
    try {
      text = new TextDecoder().decode(this.#session.disk.readFile(path));
    } catch (error) {
      if (error instanceof DiskError) return undefined;
      throw error;
    }
    const section = iniSection(text, profile);
    const accessKey = section.get('aws_access_key_id');
    const secretKey = section.get('aws_secret_access_key');
    if (accessKey === undefined || secretKey === undefined) return undefined;
    return forEver({ accessKey, secretKey, sessionToken: section.get('aws_session_token') });
  }

  async #ofContainer(url: string): Promise<KeyLease> {
    const { AWS_CONTAINER_AUTHORIZATION_TOKEN: token } = this.#environment;
    const headers = token ? ([['Authorization', token]] as const) : [];
    const answer = await this.#nearby.json({ url, headers });
    return leaseOf(answer, 'SecretAccessKey', 'Token');
  }

  async #ofInstance(): Promise<KeyLease> {
    const role = await this.#metadata('meta-data/iam/security-credentials/');
    const text = await this.#metadata(`meta-data/iam/security-credentials/${role.split('\n')[0]!.trim()}`);
    return leaseOf(parseJson(text), 'SecretAccessKey', 'Token');
  }

  async #metadata(path: string): Promise<string> {
    const base = this.#environment.AWS_EC2_METADATA_SERVICE_ENDPOINT?.concat('/latest') ?? METADATA;
    const token = await this.#nearby.get({
      url: `${base}/api/token`,
      method: 'PUT',
      body: new Uint8Array(0),
      headers: [['X-aws-ec2-metadata-token-ttl-seconds', '300']],
    });
    const answer = await this.#nearby.get({
      url: `${base}/${path}`,
      headers: [['X-aws-ec2-metadata-token', token.text]],
    });
    return answer.text.trim();
  }
}

/** The domain that the endpoints of a region are in. */
export function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

function forEver(keys: AwsKeys): KeyLease {
  return { value: keys, untilMs: Number.POSITIVE_INFINITY };
}

function leaseOf(given: Tree, secret: string, token: string): KeyLease {
  const accessKey = given.at('AccessKeyId').text;
  if (accessKey === '') throw new Error('no credentials in the answer');
  return {
    value: { accessKey, secretKey: given.at(secret).text, sessionToken: given.at(token).text },
    untilMs: Date.parse(given.at('Expiration').text) || Number.POSITIVE_INFINITY,
  };
}

/** Keys and values of one section of an INI file. */
function iniSection(text: string, name: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let isIn = false;
  for (const line of text.split('\n')) {
    const header = /^\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]/.exec(line);
    if (header !== null) isIn = header[1] === name;
    const pair = isIn ? /^\s*([^#;=\s]+)\s*=\s*(.*?)\s*$/.exec(line) : null;
    if (pair !== null) values.set(pair[1]!, pair[2]!);
  }
  return values;
}
