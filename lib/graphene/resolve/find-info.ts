/** The info of a Precomputed volume, wherever it has moved to. */
import { InfoError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { parseGraphPath } from '../../chunkedgraph/server/graph-path.ts';
import { decompress } from '../../compression/decompress.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { parseJson } from '../../http/json.ts';
import { isStore, type Store } from '../../storage/store.ts';
import { allowedAddressesFromStore, acceptNamedBucket, quotePath } from './server-named-bucket.ts';
import type { OpenOptions } from '../option-types.ts';
import { readRedirect, RedirectTrail } from './redirects.ts';
import { MIDDLEAUTH, openBucket, type BucketLocation } from './open-bucket.ts';

const INFO_BOUND = 16 * 1024 * 1024;

export interface FoundInfo {
  location: BucketLocation;
  store: Store;
  /** As it stands. */
  raw: Readonly<Record<string, unknown>>;
  /** The places that were gone through, the user's first; none when nothing redirected. */
  redirects: readonly string[];
}

/**
 * @param path In the spelling of `cloudPath`.
 * @throws InfoError NOT_FOUND, BAD_INFO, UNSUPPORTED for a chunkedgraph's; RequestError; as `storeAt` and `storeNamed`.
 */
export async function findInfo(
  path: string,
  http: HttpClient,
  { storage, logger, signal }: Pick<OpenOptions, 'storage' | 'signal'> & { logger: Logger },
): Promise<FoundInfo> {
  const trail = new RedirectTrail(path);
  let said = path,
    place: BucketLocation = { path, allowAddress: 'any', graphToken: false };
  for (;;) {
    const store = await openBucket(place, http, { storage, logger });
    const raw = await readInfo(store, said, trail, signal),
      url = `${store.url}/info`;
    const redirect = readRedirect(raw, url);
    if (redirect === undefined) {
      checkPlain(raw, store, said);
      return { location: place, store, raw, redirects: trail.steps };
    }
    if (isStore(storage))
      throw new InfoError(
        'UNSUPPORTED',
        `info at ${url} redirects to ${quotePath(redirect)}: a store of your own is not left for another; open that path`,
        url,
      );
    trail.follow(redirect, url);
    const naming = {
      said: `info at ${url} redirects to ${quotePath(redirect)}`,
      trust: 'open that path',
      origin: store.server?.origin,
      allowAddress: allowedAddressesFromStore(store),
      bucketHeaders: /^(gs|s3):/.test(said),
    };
    place = acceptNamedBucket(redirect, naming, storage);
    said = redirect;
  }
}

/** @throws InfoError NOT_FOUND, BAD_INFO; RequestError. */
async function readInfo(
  store: Store,
  place: string,
  trail: RedirectTrail,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const url = `${store.url}/info`,
    before = trail.steps.at(-2);
  const object = await store.read('info', { signal, maxBytes: INFO_BOUND });
  if (!object)
    throw new InfoError(
      'NOT_FOUND',
      `no info at ${url}: ${before === undefined ? `is the path right?${otherwise(store, place)}` : `the info at ${before} redirects there`}`,
      url,
    );
  let bytes: Uint8Array;
  try {
    bytes = await decompress(object.bytes, object.contentEncoding, { maxBytes: INFO_BOUND });
  } catch (error) {
    throw new InfoError('BAD_INFO', `info at ${url}: ${(error as Error).message}`, url, { cause: error });
  }
  const json = parseJson(bytes);
  if (typeof json === 'object' && json !== null) return json as Record<string, unknown>;
  throw new InfoError(
    'BAD_INFO',
    `info at ${url} is no JSON object${bytes[0] === 0x3c ? ' but a web page: is the address right, and is a log-in needed?' : ''}`,
    url,
  );
}

/** What a bare word may have been meant for. */
function otherwise(store: Store, place: string): string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(place) || store.exists?.() !== false) return '';
  return ` A datastack is opened as cave://${place}`;
}

/** @throws InfoError UNSUPPORTED for what a graph server says of a table. */
function checkPlain(raw: Readonly<Record<string, unknown>>, store: Store, place: string): void {
  const { graph, app, data_dir: dataDir } = raw,
    url = `${store.url}/info`;
  const ofGraph =
    (graph as { chunk_size?: unknown } | null | undefined)?.chunk_size !== undefined ||
    (app != null && typeof dataDir === 'string');
  if (!ofGraph) return;
  throw new InfoError(
    'UNSUPPORTED',
    `info at ${url} is that of a chunkedgraph: open ${graphPathOf(store, place)} (in the SDK with openGraphene)`,
    url,
  );
}

function graphPathOf({ url }: Store, place: string): string {
  const path = `graphene://${MIDDLEAUTH.test(place) ? 'middleauth+' : ''}${url}`;
  try {
    parseGraphPath(path);
    return path;
  } catch {
    return 'the path of its graph server, graphene://https://HOST/segmentation/table/NAME';
  }
}
