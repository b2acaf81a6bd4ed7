/** Which token each server of a graph gets: named where a volume is described, found where it is opened. */
import { CredentialsError } from '../../base/errors.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import { findToken, type FoundToken, type TokenSearch } from '../../chunkedgraph/server/token.ts';
import type { TokenName } from './description.ts';

/** Each is searched once, so that each warning comes once. */
export class GraphTokens {
  readonly #search: TokenSearch;
  readonly #warn: (message: string) => void;
  readonly #found = new Map<string, Promise<FoundToken | undefined>>();

  constructor(search: TokenSearch, warn: (message: string) => void) {
    this.#search = search;
    this.#warn = warn;
  }

  /** @throws as `findToken`. */
  find(host: Host): Promise<FoundToken | undefined> {
    const found = this.#found.get(host.origin) ?? findToken(host, this.#search, this.#warn);
    this.#found.set(host.origin, found);
    return found;
  }

  /**
   * The token of a described server.
   * @throws CredentialsError NOT_FOUND when it is not to be had here; as `findToken`.
   */
  async findNamed(name: TokenName | null, host: Host): Promise<FoundToken | undefined> {
    if (!name || this.#search.token === null) return undefined;
    const found = await this.find(host);
    if (found) return found;
    throw new CredentialsError(
      'NOT_FOUND',
      `the volume was resolved with ${name.from} for ${host.origin}, and no token for that is found here: give one as the token option, or keep it with graphene-points login ${host.origin}`,
    );
  }
}

export const toTokenName = (host: Host, found: FoundToken | undefined): TokenName | null =>
  found ? { host: host.origin, from: found.from } : null;
