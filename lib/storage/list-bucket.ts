/**
 * Lists the objects of a bucket whose keys begin with a prefix.
 * Sources: Amazon S3 API reference, ListObjectsV2; Google Cloud Storage JSON API, Objects: list.
 */
import { RequestError } from '../base/errors.ts';
import type { BucketAccess } from './bucket-access.ts';
import type { ObjectReply } from './http-store.ts';
import type { Store } from './store.ts';
import { unescapeXml } from './uploads/s3-upload-xml.ts';

/** A page has at most 1000 keys of at most 1024 bytes, and a few fields of each. */
const MAX_PAGE_BYTES = 2 ** 24,
  MAX_PAGES = 1000;

/** One page of keys, and where the next one begins; undefined if it is the last. */
interface Page {
  keys: string[];
  next: string | undefined;
}

/** How a vendor lists keys. */
interface Lister {
  access: BucketAccess;
  /** The URL of the bucket, for messages. */
  url: string;
  /** Returns the path of a page, with its query. @param from Where the page begins. */
  pagePath: (prefix: string, from: string | undefined) => string;
  /** Reads a page; undefined if it is none. */
  readPage: (body: string) => Page | undefined;
  /** The permission that listing needs. */
  needs: string;
}

/**
 * Makes the list of a store of an S3 bucket.
 * @param access The requests to the root of the bucket.
 * @param folder What all keys of the store begin with, encoded.
 */
export const listS3 = (access: BucketAccess, url: string, folder: string): NonNullable<Store['list']> =>
  listing(folder, {
    access,
    url,
    needs: 's3:ListBucket',
    pagePath: (prefix, from) =>
      `?${from === undefined ? '' : `continuation-token=${encodeQuery(from)}&`}list-type=2&prefix=${encodeQuery(prefix)}`,
    readPage(body) {
      if (!/<ListBucketResult[\s>]/.test(body)) return undefined;
      const keys = [...body.matchAll(/<Key>([^<>]*)<\/Key>/g)].map(([, key]) => unescapeXml(key));
      const isTruncated = /<IsTruncated>\s*true\s*<\/IsTruncated>/i.test(body),
        [, token] = /<NextContinuationToken>([^<>]+)<\/NextContinuationToken>/.exec(body) ?? [];
      if (isTruncated && token === undefined) return undefined;
      return { keys, next: isTruncated ? unescapeXml(token) : undefined };
    },
  });

/**
 * Makes the list of a store of a Google bucket.
 * @param access The requests to the root of the server.
 * @param folder What all keys of the store begin with, encoded.
 */
export const listGs = (
  access: BucketAccess,
  { url, bucket }: { url: string; bucket: string },
  folder: string,
): NonNullable<Store['list']> =>
  listing(folder, {
    access,
    url,
    needs: 'storage.objects.list',
    pagePath: (prefix, from) =>
      `storage/v1/b/${bucket}/o?fields=items(name),nextPageToken&prefix=${encodeQuery(prefix)}${from === undefined ? '' : `&pageToken=${encodeQuery(from)}`}`,
    readPage(body) {
      let found: unknown;
      try {
        found = JSON.parse(body);
      } catch {
        return undefined;
      }
      if (typeof found !== 'object' || found === null) return undefined;
      const { items = [], nextPageToken } = found as { items?: unknown; nextPageToken?: unknown };
      if (!Array.isArray(items) || (nextPageToken !== undefined && typeof nextPageToken !== 'string'))
        return undefined;
      const keys = items.map((item: unknown) => (item as { name?: unknown } | null)?.name);
      return keys.every((key) => typeof key === 'string')
        ? { keys, next: nextPageToken || undefined }
        : undefined;
    },
  });

function listing(
  folder: string,
  { access, url, pagePath, readPage, needs }: Lister,
): NonNullable<Store['list']> {
  const start = decodeURIComponent(folder);
  return async (prefix, { signal } = {}) => {
    const found: string[] = [];
    let from: string | undefined;
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const answer = await access.request(pagePath(start + prefix, from), {
        signal,
        maxBytes: MAX_PAGE_BYTES,
        headers: { 'accept-encoding': 'identity' },
      });
      if (answer.reply.status !== 200) throw refused(url, needs, answer);
      const page = readPage(Buffer.from(answer.reply.body).toString());
      if (!page || page.keys.some((key) => !key.startsWith(start + prefix)))
        throw new RequestError('BAD_RESPONSE', `${url} did not answer with a list of keys`, url, 200);
      for (const key of page.keys) found.push(key.slice(start.length));
      if (page.next === undefined) return found;
      if (page.next === from) break; // it would never end
      from = page.next;
    }
    throw new RequestError(
      'BAD_RESPONSE',
      `${url} lists more than ${MAX_PAGES} pages of keys that begin with ${JSON.stringify(start + prefix)}`,
      url,
      200,
    );
  };
}

function refused(url: string, needs: string, { reply: { status }, advice }: ObjectReply): RequestError {
  const hint =
    status === 401 || status === 403 ? [`listing needs ${needs}`, advice].filter(Boolean).join('; ') : advice;
  return new RequestError(
    'HTTP_STATUS',
    `${url} answered ${status} when its keys were to be listed${hint ? `; ${hint}` : ''}`,
    url,
    status,
  );
}

const encodeQuery = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
