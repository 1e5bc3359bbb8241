// OpenStack's services as its identity service (v3) knows them, and lists of theirs in pages.
// What the section leaves out is in the environment: OS_AUTH_URL, OS_USERNAME and so on.

import { type Lease, Leased } from '../../base/lease.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import { httpClient } from '../../config/http-client.js';
import type { Asker } from '../http.js';
import { jsonOf, refusal } from '../http.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

type Section = SectionOf<'openstack'>;
type Environment = Readonly<Record<string, string | undefined>>;

/** A token is good for an hour or more: long before, another one is asked for. */
const EARLY_MS = 5 * 60_000;

interface Access {
  readonly token: string;
  readonly catalog: Tree;
}

export class OpenStackApi {
  readonly #section: Section;
  readonly #session: Session;
  readonly #asker: Asker;
  readonly #environment: Environment;
  readonly #access: Leased<Access>;

  constructor(section: Section, session: Session, environment: Environment = process.env) {
    this.#section = section;
    this.#session = session;
    this.#environment = environment;
    this.#asker = session.asker({ ...httpClient.defaults(), tlsConfig: section.tlsConfig }, section.refreshIntervalMs);
    this.#access = new Leased(session.clock, EARLY_MS, () => this.#grant());
  }

  /** All items of a collection of a service. */
  async all(service: string, path: string, key: string): Promise<Tree[]> {
    const { token, catalog } = await this.#access.get();
    const items: Tree[] = [];
    let url = `${this.#endpoint(catalog, service)}${path}`;
    while (url !== '') {
      const answer = await this.#asker.ask({ url, headers: [['X-Auth-Token', token]] });
      // Revoked before its time: the next refresh gets another.
      if (answer.status === 401) this.#access.drop();
      if (answer.status !== 200) throw refusal(answer);
      const page = jsonOf(answer);
      items.push(...page.at(key).items);
      const next = page.at(`${key}_links`).items.find((link) => link.at('rel').text === 'next');
      url = next?.at('href').text ?? '';
    }
    return items;
  }

  #endpoint(catalog: Tree, service: string): string {
    const { region, availability } = this.#section;
    const found = catalog.items
      .filter((entry) => entry.at('type').text === service)
      .flatMap((entry) => entry.at('endpoints').items)
      .find(
        (endpoint) =>
          endpoint.at('interface').text === availability &&
          (endpoint.at('region_id').text || endpoint.at('region').text) === region,
      );
    if (found === undefined) throw new Error(`no ${availability} endpoint of ${service} in region ${region}`);
    return found
      .at('url')
      .text.replace(/\/+$/, '')
      .replace(/\/v2\.0$/, '');
  }

  async #grant(): Promise<Lease<Access>> {
    const identity = (this.#section.identityEndpoint || this.#environment.OS_AUTH_URL || '').replace(/\/+$/, '');
    const answer = await this.#asker.get({
      url: `${/\/v3$/.test(identity) ? identity : `${identity}/v3`}/auth/tokens`,
      method: 'POST',
      headers: [['Content-Type', 'application/json']],
      body: Buffer.from(JSON.stringify({ auth: this.#proof() })),
    });
    const granted = jsonOf(answer).at('token');
    return {
      value: { token: answer.headers.get('x-subject-token') ?? '', catalog: granted.at('catalog') },
      untilMs: Date.parse(granted.at('expires_at').text) || this.#session.clock.nowMs() + 2 * EARLY_MS,
    };
  }

  /** Who we are, and for which project. */
  #proof(): unknown {
    const given = this.#section;
    const env = (name: string) => this.#environment[name] || undefined;
    const domain = namedOrId(
      given.domainName || env('OS_DOMAIN_NAME') || env('OS_USER_DOMAIN_NAME'),
      given.domainId || env('OS_DOMAIN_ID'),
    );
    const secret = given.applicationCredentialSecret?.reveal() || env('OS_APPLICATION_CREDENTIAL_SECRET');
    const user = {
      ...namedOrId(given.username || env('OS_USERNAME'), given.userid || env('OS_USERID')),
      ...(given.userid === '' && domain !== undefined ? { domain } : {}),
    };
    if (secret !== undefined) {
      const id = given.applicationCredentialId || env('OS_APPLICATION_CREDENTIAL_ID');
      const credential = id === undefined ? { name: given.applicationCredentialName, user } : { id };
      return {
        identity: { methods: ['application_credential'], application_credential: { ...credential, secret } },
      };
    }
    const password = given.password?.reveal() || env('OS_PASSWORD') || '';
    const projectId = given.projectId || env('OS_PROJECT_ID');
    const projectName = given.projectName || env('OS_PROJECT_NAME');
    const project = projectId !== undefined ? { id: projectId } : projectName && { name: projectName, domain };
    return {
      identity: { methods: ['password'], password: { user: { ...user, password } } },
      ...(project ? { scope: { project } } : {}),
    };
  }
}

function namedOrId(name: string | undefined, id: string | undefined): Readonly<Record<string, string>> | undefined {
  if (id !== undefined && id !== '') return { id };
  return name === undefined || name === '' ? undefined : { name };
}
