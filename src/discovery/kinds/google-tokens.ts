// Who we are for Google, in the order that its own tools look:
//
//   $GOOGLE_APPLICATION_CREDENTIALS ► ~/.config/gcloud/application_default_credentials.json ► metadata server
//
// A file has the key of a service account, which signs a request for a token, or a user's refresh token.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { DiskError } from '../../base/disk.js';
import { signedJwt } from '../../base/jwt.js';
import { Leased } from '../../base/lease.js';
import type { Asker } from '../http.js';
import { postForm, tokenLease } from '../oauth.js';
import type { Session } from '../session.js';
import { parseJson, type Tree } from '../tree.js';

const EARLY_MS = 60_000;
const ANSWER_MS = 10_000;
const METADATA = 'metadata.google.internal';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

type Environment = Readonly<Record<string, string | undefined>>;

export class GoogleTokens {
  readonly #scope: string;
  readonly #session: Session;
  readonly #asker: Asker;
  readonly #environment: Environment;
  readonly #token: Leased<string>;

  constructor(scope: string, session: Session, environment: Environment = process.env) {
    this.#scope = scope;
    this.#session = session;
    this.#asker = session.askerOf({}, ANSWER_MS);
    this.#environment = environment;
    const { clock } = session;
    this.#token = new Leased(clock, EARLY_MS, async () => tokenLease(await this.#fetch(), clock.nowMs()));
  }

  token(): Promise<string> {
    return this.#token.get();
  }

  #fetch(): Promise<Tree> {
    const credentials = this.#credentials();
    if (credentials === undefined) return this.#ofInstance();
    const url = credentials.at('token_uri').text || TOKEN_URL;
    switch (credentials.at('type').text) {
      case 'service_account':
        return postForm(this.#asker, url, { grant_type: JWT_BEARER, assertion: this.#assertion(credentials, url) });
      case 'authorized_user':
        return postForm(this.#asker, url, {
          grant_type: 'refresh_token',
          client_id: credentials.at('client_id').text,
          client_secret: credentials.at('client_secret').text,
          refresh_token: credentials.at('refresh_token').text,
        });
      default:
        throw new Error(`credentials of type ${credentials.at('type').text} are not supported`);
    }
  }

  #credentials(): Tree | undefined {
    const named = this.#environment.GOOGLE_APPLICATION_CREDENTIALS;
    const path = named || join(homedir(), '.config', 'gcloud', 'application_default_credentials.json');
    try {
      return parseJson(new TextDecoder().decode(this.#session.disk.readFile(path)));
    } catch (error) {
      if (!named && error instanceof DiskError) return undefined;
      throw error;
    }
  }

  /** A token signed with a service account's key, for which the server gives one of its own. */
  #assertion(credentials: Tree, audience: string): string {
    const now = Math.floor(this.#session.clock.nowMs() / 1000);
    const claims = {
      iss: credentials.at('client_email').text,
      scope: this.#scope,
      aud: audience,
      iat: now,
      exp: now + 3600,
    };
    const [keyId, privateKey] = [credentials.at('private_key_id').text, credentials.at('private_key').text];
    return signedJwt(claims, { algorithm: 'RS256', keyId, privateKey });
  }

  #ofInstance(): Promise<Tree> {
    const host = this.#environment.GCE_METADATA_HOST || METADATA;
    const query = new URLSearchParams({ scopes: this.#scope });
    return this.#asker.json({
      url: `http://${host}/computeMetadata/v1/instance/service-accounts/default/token?${query}`,
      headers: [['Metadata-Flavor', 'Google']],
    });
  }
}
