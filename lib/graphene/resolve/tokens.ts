/** Finds the token of each server of a volume, and names tokens for descriptions. */
import { CredentialsError } from '../../base/errors.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import { findToken, type FoundToken, type TokenSearch } from '../../chunkedgraph/server/token.ts';
import type { TokenName } from './description.ts';

/** The tokens of a volume's servers. Each token is searched for once, so each warning is logged once. */
export class GraphTokens {
  readonly #search: TokenSearch;
  readonly #warn: (message: string) => void;
  readonly #found = new Map<string, Promise<FoundToken | undefined>>();

  constructor(search: TokenSearch, warn: (message: string) => void) {
    this.#search = search;
    this.#warn = warn;
  }

  /** Finds the token of a host. @throws As `findToken`. */
  find(host: Host): Promise<FoundToken | undefined> {
    const found = this.#found.get(host.origin) ?? findToken(host, this.#search, this.#warn);
    this.#found.set(host.origin, found);
    return found;
  }

  /**
   * Finds the token that a description names.
   * @throws CredentialsError NOT_FOUND when there is no such token here; as `findToken`.
   */
  async findNamed(name: TokenName | null, host: Host): Promise<FoundToken | undefined> {
    if (!name || this.#search.token === null) return undefined;
    const found = await this.find(host);
    if (found) return found;
    throw new CredentialsError(
      'NOT_FOUND',
      `the volume was resolved with ${name.from} for ${host.origin}, and no token for that server is found here: pass one as the token option, or save it with graphene-points login ${host.origin}`,
    );
  }
}

export const toTokenName = (host: Host, found: FoundToken | undefined): TokenName | null =>
  found ? { host: host.origin, from: found.from } : null;
