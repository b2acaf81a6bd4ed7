/**
 * Follows infos that redirect to another path. Sources: CloudVolume, datasource/precomputed/metadata.py,
 * `redirectable_fetch_info`; Neuroglancer, src/datasource/index.ts, `DataSourceRegistry.get`. Both accept
 * whole paths only.
 */
import { InfoError, PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { redactSecrets } from '../../base/secret-redaction.ts';
import { parseNamedServer } from '../../cave/cave-server.ts';
import { parseGraphPath, type GraphPath } from '../../chunkedgraph/server/graph-path.ts';
import type { FoundToken } from '../../chunkedgraph/server/token.ts';
import type { AddressPolicy } from '../../http/http-request.ts';
import { redactUrl } from '../../http/excerpt.ts';
import { normalizeCloudPath, isGraphPath } from './cloud-path.ts';
import { allowedAddressesFrom, quotePath } from './server-named-bucket.ts';

export const MAX_REDIRECTS = 10;

/** Returns the path that an info redirects to; undefined without a redirect. @throws InfoError BAD_INFO. */
export function readRedirect(info: unknown, url: string): string | undefined {
  const { redirect } = (info ?? {}) as { redirect?: unknown };
  if (redirect === undefined || redirect === null || redirect === '') return undefined;
  if (typeof redirect !== 'string')
    throw new InfoError('BAD_INFO', `info at ${url}: redirect is not a path`, url);
  if (!/^\s*[a-z][a-z\d+.-]*:\/\//i.test(redirect))
    throw new InfoError(
      'BAD_INFO',
      `info at ${url}: redirect ${quotePath(redirect)} is not a whole path such as gs://BUCKET/PATH`,
      url,
    );
  return redirect;
}

/** The paths of a chain of redirects, the user's path first. */
export class RedirectTrail {
  readonly #places: string[];

  constructor(place: string) {
    this.#places = [normalizeCloudPath(place)];
  }

  /** All paths of the chain, without credentials and queries; empty without a redirect. */
  get steps(): string[] {
    return this.#places.length > 1 ? this.#places.map(formatPath) : [];
  }

  /** Adds the next path. @throws InfoError BAD_INFO for a circle, or for more than 10 redirects. */
  follow(place: string, url: string): void {
    const next = normalizeCloudPath(place).replace(/\/+$/, '');
    const known = this.#places.some((path) => path.replace(/\/+$/, '') === next);
    this.#places.push(next);
    if (!known && this.#places.length <= MAX_REDIRECTS + 1) return;
    throw new InfoError(
      'BAD_INFO',
      `${known ? 'infos redirect in a circle' : `more than ${MAX_REDIRECTS} infos redirect`}: ${this.#places.map(formatPath).join(' -> ')}`,
      url,
    );
  }
}

const formatPath = (place: string): string => redactSecrets(toPrintable(redactUrl(place)));

/** A table, and how its server may be reached. */
export interface GraphTarget {
  path: GraphPath;
  token: FoundToken | undefined;
  /** Addresses that the table's server may have. @default 'any' */
  allowAddress?: AddressPolicy;
}

/**
 * Accepts the table that a table's info redirects to. A token never goes to another host than it was meant
 * for.
 * @throws PathError BAD_PATH, INSECURE_TOKEN; InfoError UNSUPPORTED.
 */
function acceptNamedGraph(
  redirect: string,
  from: GraphTarget & { address: string | undefined },
): GraphTarget {
  const { path: currentPath, token, allowAddress, address } = from;
  const path = normalizeCloudPath(redirect),
    claim = `info at ${currentPath.infoUrl} redirects to ${quotePath(redirect)}`;
  if (!isGraphPath(path))
    throw new InfoError(
      'UNSUPPORTED',
      `${claim}, which is not a chunkedgraph: open that path as a plain volume`,
      currentPath.infoUrl,
    );
  const next = parseGraphPath(path);
  if (next.origin === currentPath.origin) return { path: next, token, allowAddress };
  if (token)
    throw new PathError(
      'INSECURE_TOKEN',
      `${claim}: tokens are not sent to a host that a server names; if you trust it, open that path`,
    );
  parseNamedServer(next.origin, currentPath);
  return { path: next, token: undefined, allowAddress: allowedAddressesFrom(currentPath.hostname, address) };
}

/**
 * Returns the table that an info redirects to; undefined without a redirect.
 * @throws As `readRedirect`; PathError; InfoError.
 */
export function followTableRedirect(
  info: unknown,
  from: GraphTarget,
  address: string | undefined,
): GraphTarget | undefined {
  const redirect = readRedirect(info, from.path.infoUrl);
  return redirect === undefined ? undefined : acceptNamedGraph(redirect, { ...from, address });
}
