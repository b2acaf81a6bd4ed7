/**
 * An info that says where its volume has moved. Sources: CloudVolume, datasource/precomputed/metadata.py, `redirectable_fetch_info`;
 * Neuroglancer, src/datasource/index.ts, `DataSourceRegistry.get`. Both take whole paths only.
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

/** Where an info sends its readers; undefined when it is the volume's own. @throws InfoError BAD_INFO. */
export function readRedirect(info: unknown, url: string): string | undefined {
  const { redirect } = (info ?? {}) as { redirect?: unknown };
  if (redirect === undefined || redirect === null || redirect === '') return undefined;
  if (typeof redirect !== 'string')
    throw new InfoError('BAD_INFO', `info at ${url}: redirect is not a path`, url);
  if (!/^\s*[a-z][a-z\d+.-]*:\/\//i.test(redirect))
    throw new InfoError(
      'BAD_INFO',
      `info at ${url}: redirect ${quotePath(redirect)} is not a whole path, such as gs://BUCKET/PATH`,
      url,
    );
  return redirect;
}

/** The places that were gone through, the first one the user's. */
export class RedirectTrail {
  readonly #places: string[];

  constructor(place: string) {
    this.#places = [normalizeCloudPath(place)];
  }

  /** All of them, the last one where it ends; none when nothing redirected. Without credentials and queries. */
  get steps(): string[] {
    return this.#places.length > 1 ? this.#places.map(shown) : [];
  }

  /** @throws InfoError BAD_INFO when it leads in a circle, or on and on. */
  follow(place: string, url: string): void {
    const next = normalizeCloudPath(place).replace(/\/+$/, '');
    const known = this.#places.some((one) => one.replace(/\/+$/, '') === next);
    this.#places.push(next);
    if (!known && this.#places.length <= MAX_REDIRECTS + 1) return;
    throw new InfoError(
      'BAD_INFO',
      `${known ? 'infos redirect in a circle' : `more than ${MAX_REDIRECTS} infos redirect`}: ${this.#places.map(shown).join(' -> ')}`,
      url,
    );
  }
}

const shown = (place: string): string => redactSecrets(toPrintable(redactUrl(place)));

export interface GraphTarget {
  path: GraphPath;
  token: FoundToken | undefined;
  /** Addresses that its server may have. @default 'any' */
  allowAddress?: AddressPolicy;
}

/**
 * The table that a table's info redirects to. On another host it gets no token: that was meant for the host asked.
 * @throws PathError BAD_PATH, INSECURE_TOKEN; InfoError UNSUPPORTED.
 */
function graphNamed(redirect: string, from: GraphTarget & { address: string | undefined }): GraphTarget {
  const { path: asked, token, allowAddress, address } = from;
  const path = normalizeCloudPath(redirect),
    said = `info at ${asked.infoUrl} redirects to ${quotePath(redirect)}`;
  if (!isGraphPath(path))
    throw new InfoError(
      'UNSUPPORTED',
      `${said}, which is not a chunkedgraph: open that as a plain volume`,
      asked.infoUrl,
    );
  const next = parseGraphPath(path);
  if (next.origin === asked.origin) return { path: next, token, allowAddress };
  if (token)
    throw new PathError(
      'INSECURE_TOKEN',
      `${said}: tokens are not sent to a host that a server names; if you trust it, open that`,
    );
  parseNamedServer(next.origin, asked);
  return { path: next, token: undefined, allowAddress: allowedAddressesFrom(asked.hostname, address) };
}

/** The table that `info` sends its readers to; undefined when it is the table's own. @throws as `redirectOf` and `graphNamed`. */
export function followTableRedirect(
  info: unknown,
  from: GraphTarget,
  address: string | undefined,
): GraphTarget | undefined {
  const redirect = readRedirect(info, from.path.infoUrl);
  return redirect === undefined ? undefined : graphNamed(redirect, { ...from, address });
}
