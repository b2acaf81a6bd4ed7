/** Reads the info of a Precomputed volume, and follows its redirects. */
import { InfoError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { parseGraphPath } from '../../chunkedgraph/server/graph-path.ts';
import { decompress } from '../../compression/decompress.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { parseJson } from '../../http/json.ts';
import { isStore, type Store } from '../../storage/store.ts';
import {
  allowedAddressesFromStore,
  acceptNamedBucket,
  quotePath,
  type NamingContext,
} from './server-named-bucket.ts';
import type { OpenOptions } from '../option-types.ts';
import { readRedirect, RedirectTrail } from './redirects.ts';
import { MIDDLEAUTH, openBucket, type BucketLocation } from './open-bucket.ts';

const INFO_BOUND = 16 * 1024 * 1024;

/** An info, and the bucket that holds it. */
export interface FoundInfo {
  location: BucketLocation;
  store: Store;
  /** The info as JSON. */
  raw: Readonly<Record<string, unknown>>;
  /** Paths of the redirects, the user's path first; empty without a redirect. */
  redirects: readonly string[];
}

/**
 * Reads the info at a path, and at the paths it redirects to.
 * @param path A path that `normalizeCloudPath` has returned.
 * @throws InfoError NOT_FOUND, BAD_INFO, UNSUPPORTED for the info of a chunkedgraph; RequestError; as
 *   `openBucket` and `acceptNamedBucket`.
 */
export async function findInfo(
  path: string,
  http: HttpClient,
  { storage, logger, signal }: Pick<OpenOptions, 'storage' | 'signal'> & { logger: Logger },
): Promise<FoundInfo> {
  const trail = new RedirectTrail(path);
  let currentPath = path,
    place: BucketLocation = { path, allowAddress: 'any', graphToken: false };
  for (;;) {
    const store = await openBucket(place, http, { storage, logger });
    const raw = await readInfo(store, currentPath, trail, signal),
      url = `${store.url}/info`;
    const redirect = readRedirect(raw, url);
    if (redirect === undefined) {
      checkNotGraph(raw, store, currentPath);
      return { location: place, store, raw, redirects: trail.steps };
    }
    if (isStore(storage))
      throw new InfoError(
        'UNSUPPORTED',
        `info at ${url} redirects to ${quotePath(redirect)}, which is outside your own store: open that path`,
        url,
      );
    trail.follow(redirect, url);
    const naming: NamingContext = {
      claim: `info at ${url} redirects to ${quotePath(redirect)}`,
      advice: 'open that path',
      origin: store.server?.origin,
      allowAddress: allowedAddressesFromStore(store),
      bucketHeaders: /^(gs|s3):/.test(currentPath),
    };
    place = acceptNamedBucket(redirect, naming, storage);
    currentPath = redirect;
  }
}

/** Reads one info. @throws InfoError NOT_FOUND, BAD_INFO; RequestError. */
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
      `no info at ${url}: ${before === undefined ? `is the path right?${datastackHint(store, place)}` : `the info at ${before} redirects there`}`,
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
    `info at ${url} is not a JSON object${bytes[0] === 0x3c ? ' but a web page: is the address right, and is a log-in needed?' : ''}`,
    url,
  );
}

/** Adds a hint when the path is one word, which may be the name of a datastack. */
function datastackHint(store: Store, place: string): string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(place) || store.exists?.() !== false) return '';
  return ` A datastack is opened as cave://${place}`;
}

/** Checks that an info is not that of a chunkedgraph's table. @throws InfoError UNSUPPORTED. */
function checkNotGraph(raw: Readonly<Record<string, unknown>>, store: Store, place: string): void {
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
