/**
 * The store of objects on a web server or in a gs:// or s3:// bucket: how it reads the replies of the server.
 */
import { RequestError } from '../base/errors.ts';
import {
  DEFAULT_MAX_BYTES,
  type AddressPolicy,
  type Headers,
  type HttpClient,
  type HttpReply,
  type HttpRequest,
} from '../http/http-request.ts';
import { excerpt, isHtmlPage } from '../http/excerpt.ts';
import { normalizeContentEncoding } from './content-encoding.ts';
import { beyondEndError, answerEmptyRange, encodeKey } from './keys.ts';
import type { ObjectWriter } from './uploads/object-writer.ts';
import type { ByteRange, ReadOptions, Store, StoredObject, StoreServer } from './store.ts';
import { isETag, readValidator } from './validator.ts';

/** A request for an object. Its headers are added to those with the credentials. */
export type ObjectRequest = Pick<
  HttpRequest,
  'range' | 'signal' | 'stop' | 'maxBytes' | 'meter' | 'headers' | 'bodyWork'
>;

/** The reply to a request for an object. */
export interface ObjectReply {
  reply: HttpReply;
  /**
   * Whether the request had credentials or a query. A server may repeat them, so messages never quote such a
   * reply.
   */
  isSigned: boolean;
  /** What the user can do about a refusal. */
  advice?: string;
}

/** Requests the object at an encoded path, and returns the reply whatever its status. */
export type ObjectRequester = (path: string, request: ObjectRequest) => Promise<ObjectReply>;

/** How an {@link HttpStore} requests objects. */
export interface HttpStoreOptions {
  request: ObjectRequester;
  /** Whether the store is a gs:// or s3:// bucket. @default false */
  isBucket?: boolean;
  /** See `Store.identity`. @default nothing except the URL */
  identity?: () => Promise<unknown>;
  writer?: ObjectWriter;
  /** See `Store.list`. @default the store cannot list */
  list?: NonNullable<Store['list']>;
}

/** Reads objects below an http(s) URL, or in a gs:// or s3:// bucket. */
export class HttpStore implements Store {
  readonly url: string;
  /** The credentials and the query of the requests. */
  readonly identity: () => Promise<unknown>;
  /** Writes objects. Undefined if the store only reads. */
  readonly writer: ObjectWriter | undefined;
  readonly list?: NonNullable<Store['list']>;
  readonly #request: ObjectRequester;
  readonly #isBucket: boolean;
  #serverAddress: string | undefined;

  /** @param url For messages: without credentials and query. */
  constructor(
    url: string,
    { request, isBucket = false, identity = () => Promise.resolve([]), writer, list }: HttpStoreOptions,
  ) {
    this.url = url.replace(/\/+$/, '');
    this.#request = request;
    this.#isBucket = isBucket;
    this.identity = identity;
    this.writer = writer;
    if (list) this.list = list;
  }

  get server(): StoreServer {
    const { origin, hostname } = new URL(this.url);
    return { origin, hostname, address: this.#serverAddress };
  }

  async read(key: string, options: ReadOptions = {}): Promise<StoredObject | undefined> {
    const { range, stop, maxBytes = DEFAULT_MAX_BYTES, meter, ifNoneMatch, bodyWork } = options;
    // The signal of a read that has a stop is made on first use, and hardly ever needed.
    const signal = stop ? undefined : options.signal;
    stop?.throwIfStopped();
    signal?.throwIfAborted();
    const path = encodeKey(key);
    const empty = answerEmptyRange(range);
    if (empty) return empty;
    const headers =
      ifNoneMatch !== undefined && isETag(ifNoneMatch) ? { 'if-none-match': ifNoneMatch } : undefined;
    const answer = await this.#request(path, { range, signal, stop, maxBytes, meter, bodyWork, headers }),
      { reply } = answer;
    this.#serverAddress = reply.serverAddress;
    return reply.status === 200 && reply.workResult !== undefined
      ? wholeObject(reply)
      : this.#readReply(answer, `${this.url}/${path}`, options);
  }

  /** Reads a reply. @throws RequestError if it does not hold what was asked for. */
  #readReply(
    answer: ObjectReply,
    url: string,
    { range, absentBy403 = false, meter, ifNoneMatch, mayBeCut = false }: ReadOptions,
  ): StoredObject | undefined {
    const { reply, isSigned } = answer,
      { status } = reply;
    if (status === 404) return undefined;
    if (status === 403 && absentBy403 && this.#isBucket && !isSigned) {
      if (meter) meter.absentBy403++;
      return undefined;
    }
    if (status === 304 && ifNoneMatch !== undefined)
      return {
        bytes: new Uint8Array(0),
        contentEncoding: undefined,
        validator: ifNoneMatch,
        notModified: true,
      };
    if (status === 416 && range) throw beyondEndError(url, range, status);
    if (status !== 200 && status !== 206)
      throw new RequestError('HTTP_STATUS', `${url} answered ${status}${quote(answer)}`, url, status);
    if (isHtmlPage(reply.body, reply.headers))
      throw new RequestError('BAD_RESPONSE', `${url} answered with a web page${quote(answer)}`, url, status);
    if (status === 200) return wholeObject(reply);
    const part = partOf(url, reply, range, mayBeCut);
    return { ...wholeObject(reply), validator: readValidator(reply.headers, part.totalBytes), ...part };
  }
}

/** Makes the object of a reply with status 200. */
function wholeObject(reply: HttpReply): StoredObject {
  const { body: bytes, headers, workResult } = reply,
    storedBytes = lengthOf(reply),
    contentEncoding = normalizeContentEncoding(headers['content-encoding']),
    validator = readValidator(headers, storedBytes);
  return workResult === undefined
    ? { bytes, contentEncoding, validator }
    : { bytes, contentEncoding, validator, workResult, storedBytes };
}

const lengthOf = ({ body, bodyBytes }: HttpReply): number => bodyBytes ?? body.byteLength;

const quote = ({ reply: { body, headers }, isSigned, advice }: ObjectReply): string => {
  const text = isSigned ? '' : excerpt(body, headers);
  return `${text && `: ${text}`}${advice === undefined ? '' : `; ${advice}`}`;
};

/** Makes a requester for objects below a URL. A query (of a signed URL) is sent with every key. */
export function createUrlRequester(
  base: URL,
  { http, headers, allowAddress }: { http: HttpClient; headers?: Headers; allowAddress?: AddressPolicy },
): ObjectRequester {
  const isSigned =
    headers !== undefined || base.search !== '' || base.username !== '' || base.password !== '';
  const prefix = `${base.protocol}//${userInfo(base)}${base.host}${base.pathname.replace(/\/+$/, '')}`;
  const { search } = base;
  return (path, { range, signal, stop, maxBytes, meter, bodyWork, headers: more }) =>
    http
      .request({
        url: `${prefix}/${path}${search}`,
        headers: more ? { ...headers, ...more } : headers,
        range,
        signal,
        stop,
        maxBytes,
        meter,
        bodyWork,
        allowAddress,
      })
      .then((reply) => ({ reply, isSigned }));
}

const userInfo = ({ username, password }: URL): string =>
  username || password ? `${username}:${password}@` : '';

/**
 * Checks which range a reply with status 206 holds. It must be the requested range, cut at the end of the
 * object. RFC 9110, 14.4.
 *
 * @param mayBeCut Whether the range may be cut anywhere if the server does not give the size of the object
 *   (`*`).
 */
function partOf(
  url: string,
  reply: HttpReply,
  requested: ByteRange | undefined,
  mayBeCut: boolean,
): Pick<StoredObject, 'range' | 'totalBytes'> {
  const { headers, status } = reply,
    bytes = lengthOf(reply);
  const contentRange = String(headers['content-range'] ?? '');
  const [, first, last, size] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(contentRange.trim()) ?? [];
  const got = { start: Number(first), end: Number(last) + 1 };
  const isCut =
    requested &&
    got.end < requested.end &&
    (size === '*' ? mayBeCut && got.end > got.start : got.end === Number(size));
  const fits = requested && got.start === requested.start && (got.end === requested.end || isCut);
  if (fits && bytes === got.end - got.start)
    return { range: got, ...(size !== '*' && { totalBytes: Number(size) }) };
  const wanted = requested ? `bytes ${requested.start}-${requested.end - 1}` : 'everything';
  throw new RequestError(
    'BAD_RESPONSE',
    `${url}: requested ${wanted}, got ${bytes} bytes with the Content-Range "${contentRange.slice(0, 60)}"`,
    url,
    status,
  );
}
