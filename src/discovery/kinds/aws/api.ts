// Calls of AWS services, signed: the two forms there are.
//
//   query   POST Action=…&Version=…            XML back        EC2, RDS, ElastiCache
//   json    POST, X-Amz-Target: <name>         JSON both ways  Lightsail, ECS
//   rest    GET <path>                         JSON back       MSK

import type { HttpClientConfig } from '../../../config/http-client.js';
import { httpOptionsOf } from '../../../config/http-options.js';
import type { Secret } from '../../../config/values.js';
import { type Answer, type Asker, jsonOf, refusal } from '../../http.js';
import type { Session } from '../../session.js';
import type { Tree } from '../../tree.js';
import { parseXml } from '../../xml.js';
import { AwsCredentials, domainOf } from './credentials.js';
import { signedHeaders } from './sign.js';

/** What all sections about AWS say. */
export interface AwsSection extends HttpClientConfig {
  readonly region: string;
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: Secret | undefined;
  readonly profile: string;
  readonly roleArn: string;
  readonly externalId: string;
  readonly refreshIntervalMs: number;
  readonly port: number;
}

export class AwsApi {
  readonly #section: AwsSection;
  readonly #session: Session;
  readonly #credentials: AwsCredentials;
  readonly #asker: Asker;

  constructor(section: AwsSection, session: Session) {
    this.#section = section;
    this.#session = session;
    const http = httpOptionsOf(section);
    const { region, accessKey, secretKey, profile, roleArn, externalId } = section;
    const identity = { region, accessKey, secretKey: secretKey?.reveal() ?? '', profile, roleArn, externalId };
    this.#credentials = new AwsCredentials(identity, http, session);
    this.#asker = session.askerOf(http, section.refreshIntervalMs);
  }

  region(): Promise<string> {
    return this.#credentials.region();
  }

  /** One page: the element `<action>Response`. */
  async query(service: string, version: string, action: string, parameters: Parameters): Promise<Tree> {
    const body = String(new URLSearchParams([['Action', action], ['Version', version], ...parameters]));
    const answer = await this.#call(service, 'POST', '/', body, [
      ['Content-Type', 'application/x-www-form-urlencoded'],
    ]);
    return parseXml(answer.text).at(`${action}Response`);
  }

  /** All of a list that comes in pages. `cursor` is the parameter, and the element of a result, that leads to the next. */
  async queryAll(list: PagedList, parameters: Parameters, itemsOf: (result: Tree) => Tree[]): Promise<Tree[]> {
    const { service, version, action, cursor } = list;
    const items: Tree[] = [];
    let next = '';
    do {
      const place: Parameters = next === '' ? [] : [[cursor, next]];
      const page = await this.query(service, version, action, [...parameters, ...place]);
      const result = page.at(`${action}Result`);
      if (!result.exists) throw new Error(`no ${action}Result in the answer`);
      items.push(...itemsOf(result));
      next = result.at(cursor).text;
    } while (next !== '');
    return items;
  }

  async json(service: string, target: string, request: Readonly<Record<string, unknown>>): Promise<Tree> {
    const headers = [
      ['Content-Type', 'application/x-amz-json-1.1'],
      ['X-Amz-Target', target],
    ] as const;
    return jsonOf(await this.#call(service, 'POST', '/', JSON.stringify(request), headers));
  }

  async rest(service: string, path: string): Promise<Tree> {
    return jsonOf(await this.#call(service, 'GET', path, '', []));
  }

  async #call(
    service: string,
    method: 'GET' | 'POST',
    path: string,
    body: string,
    given: readonly (readonly [string, string])[],
  ): Promise<Answer> {
    const region = await this.region();
    const url = `${this.#endpoint(service, region)}${path}`;
    const request = { method, url, headers: given, body, service, region };
    const headers = signedHeaders(request, await this.#credentials.keys(), this.#session.clock.nowMs());
    const content = method === 'POST' ? { body: Buffer.from(body) } : {};
    const answer = await this.#asker.ask({ url, method, headers, ...content });
    if (answer.status !== 200) throw refusal(answer);
    return answer;
  }

  #endpoint(service: string, region: string): string {
    const { endpoint } = this.#section;
    if (endpoint === '') return `https://${service}.${region}.${domainOf(region)}`;
    return (/^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`).replace(/\/+$/, '');
  }
}

export interface PagedList {
  readonly service: string;
  readonly version: string;
  readonly action: string;
  readonly cursor: 'Marker' | 'NextToken';
}

export type Parameters = readonly [name: string, value: string][];

/** Filters as query services take them. */
export function filterParameters(filters: readonly { name: string; values: readonly string[] }[]): Parameters {
  return filters.flatMap(({ name, values }, index) => [
    [`Filter.${index + 1}.Name`, name] as [string, string],
    ...values.map((value, at): [string, string] => [`Filter.${index + 1}.Value.${at + 1}`, value]),
  ]);
}
