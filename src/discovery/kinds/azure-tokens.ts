// Who we are for Azure: a client with a secret, a managed identity of the machine, or a workload with a token in a file.

import { Leased } from '../../base/lease.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import type { Asker } from '../http.js';
import { postForm, tokenLease } from '../oauth.js';
import type { Session } from '../session.js';
import type { Tree } from '../tree.js';

/** Where an environment of Azure is. */
export interface AzureCloud {
  readonly login: string;
  readonly api: string;
}

const CLOUDS: ReadonlyMap<string, AzureCloud> = new Map([
  ['azurepubliccloud', { login: 'https://login.microsoftonline.com', api: 'https://management.azure.com' }],
  ['azurecloud', { login: 'https://login.microsoftonline.com', api: 'https://management.azure.com' }],
  ['azurechinacloud', { login: 'https://login.chinacloudapi.cn', api: 'https://management.chinacloudapi.cn' }],
  ['azureusgovernment', { login: 'https://login.microsoftonline.us', api: 'https://management.usgovcloudapi.net' }],
  [
    'azureusgovernmentcloud',
    { login: 'https://login.microsoftonline.us', api: 'https://management.usgovcloudapi.net' },
  ],
]);

/** Throws an Error for a name that no cloud has. */
export function cloudOf(environment: string): AzureCloud {
  const cloud = CLOUDS.get(environment.toLowerCase());
  if (cloud === undefined) throw new Error(`there is no cloud configuration matching the name ${environment}`);
  return cloud;
}

const EARLY_MS = 5 * 60_000;
const ANSWER_MS = 30_000;
const METADATA = 'http://169.254.169.254/metadata/identity/oauth2/token';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

type Environment = Readonly<Record<string, string | undefined>>;

export class AzureTokens {
  readonly #section: SectionOf<'azure'>;
  readonly #cloud: AzureCloud;
  readonly #session: Session;
  readonly #asker: Asker;
  readonly #environment: Environment;
  readonly #token: Leased<string>;

  constructor(
    section: SectionOf<'azure'>,
    cloud: AzureCloud,
    session: Session,
    environment: Environment = process.env,
  ) {
    this.#section = section;
    this.#cloud = cloud;
    this.#session = session;
    this.#asker = session.asker(section, ANSWER_MS);
    this.#environment = environment;
    const { clock } = session;
    this.#token = new Leased(clock, EARLY_MS, async () => tokenLease(await this.#fetch(), clock.nowMs()));
  }

  token(): Promise<string> {
    return this.#token.get();
  }

  #fetch(): Promise<Tree> {
    const { authenticationMethod, tenantId, clientId, clientSecret } = this.#section;
    const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_FEDERATED_TOKEN_FILE } = this.#environment;
    switch (authenticationMethod.toLowerCase()) {
      case 'oauth':
        return this.#ofSecret(tenantId, clientId, clientSecret?.reveal() ?? '');
      case 'managedidentity':
        return this.#managed(clientId);
      case 'workloadidentity':
        return this.#ofFile(clientId || AZURE_CLIENT_ID || '');
      default:
        // What the SDK would find in its environment.
        if (AZURE_CLIENT_SECRET)
          return this.#ofSecret(AZURE_TENANT_ID ?? '', AZURE_CLIENT_ID ?? '', AZURE_CLIENT_SECRET);
        if (AZURE_FEDERATED_TOKEN_FILE) return this.#ofFile(AZURE_CLIENT_ID ?? '');
        return this.#managed(AZURE_CLIENT_ID ?? '');
    }
  }

  #ofSecret(tenant: string, client: string, secret: string): Promise<Tree> {
    return this.#post(tenant, { client_id: client, client_secret: secret });
  }

  #ofFile(client: string): Promise<Tree> {
    const { AZURE_TENANT_ID = '', AZURE_FEDERATED_TOKEN_FILE = '' } = this.#environment;
    const assertion = new TextDecoder().decode(this.#session.disk.readFile(AZURE_FEDERATED_TOKEN_FILE)).trim();
    return this.#post(this.#section.tenantId || AZURE_TENANT_ID, {
      client_id: client,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: assertion,
    });
  }

  #post(tenant: string, parameters: Readonly<Record<string, string>>): Promise<Tree> {
    const scope = `${this.#cloud.api}/.default`;
    const url = `${this.#cloud.login}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
    return postForm(this.#asker, url, { grant_type: 'client_credentials', scope, ...parameters });
  }

  #managed(client: string): Promise<Tree> {
    const query = new URLSearchParams({ 'api-version': '2018-02-01', resource: `${this.#cloud.api}/` });
    if (client !== '') query.set('client_id', client);
    return this.#asker.json({ url: `${METADATA}?${query}`, headers: [['Metadata', 'true']] });
  }
}
