// Who we are for STACKIT: the key of a service account, which signs a request for a token. Sections without one
// say who they are as `<http_config>` does.
//
//   service_account_key[_path]     { "credentials": { kid, iss, sub, aud, privateKey } }
//   private_key[_path]             where the key is not in there; or in credentials_file_path, as text or as a path

import { signedJwt } from '../../base/jwt.js';
import { Leased } from '../../base/lease.js';
import { secretBytes } from '../../base/prng.js';
import type { SectionOf } from '../../config/discovery-keys.js';
import type { Secret } from '../../config/values.js';
import type { Asker } from '../http.js';
import { postForm, tokenLease } from '../oauth.js';
import type { Session } from '../session.js';
import { parseJson, type Tree } from '../tree.js';

const TOKEN_URL = 'https://service-account.api.stackit.cloud/token';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const EARLY_MS = 60_000;
const ASSERTION_SECONDS = 600;

type Section = SectionOf<'stackit'>;

export class StackitTokens {
  readonly #section: Section;
  readonly #session: Session;
  readonly #asker: Asker;
  readonly #token: Leased<string>;

  private constructor(section: Section, session: Session) {
    this.#section = section;
    this.#session = session;
    this.#asker = session.asker(section, section.refreshIntervalMs);
    this.#token = new Leased(session.clock, EARLY_MS, async () => {
      const answer = await postForm(this.#asker, TOKEN_URL, { grant_type: JWT_BEARER, assertion: this.#assertion() });
      return tokenLease(answer, session.clock.nowMs());
    });
  }

  /** Undefined where the section has no service account. */
  static of(section: Section, session: Session): StackitTokens | undefined {
    const hasKey = section.serviceAccountKey !== undefined || section.serviceAccountKeyPath !== '';
    return hasKey ? new StackitTokens(section, session) : undefined;
  }

  token(): Promise<string> {
    return this.#token.get();
  }

  #assertion(): string {
    const { serviceAccountKey, serviceAccountKeyPath } = this.#section;
    const account = parseJson(this.#given(serviceAccountKey, serviceAccountKeyPath)).at('credentials');
    const now = Math.floor(this.#session.clock.nowMs() / 1000);
    const claims = {
      iss: account.at('iss').text,
      sub: account.at('sub').text,
      aud: account.at('aud').text,
      jti: Buffer.from(secretBytes(16)).toString('hex'),
      iat: now,
      exp: now + ASSERTION_SECONDS,
    };
    return signedJwt(claims, {
      algorithm: 'RS512',
      keyId: account.at('kid').text,
      privateKey: this.#privateKey(account),
    });
  }

  #privateKey(account: Tree): string {
    const { privateKey, privateKeyPath, credentialsFilePath } = this.#section;
    const given = this.#given(privateKey, privateKeyPath);
    if (given !== '') return given;
    const own = account.at('privateKey').text;
    if (own !== '' || credentialsFilePath === '') return own;
    const credentials = parseJson(this.#given(undefined, credentialsFilePath));
    return (
      credentials.at('STACKIT_PRIVATE_KEY').text ||
      this.#given(undefined, credentials.at('STACKIT_PRIVATE_KEY_PATH').text)
    );
  }

  /** Inline, or what is in the file now; empty where there is neither. */
  #given(inline: Secret | undefined, path: string): string {
    if (inline !== undefined && !inline.isEmpty) return inline.reveal();
    return path === '' ? '' : new TextDecoder().decode(this.#session.disk.readFile(path));
  }
}
