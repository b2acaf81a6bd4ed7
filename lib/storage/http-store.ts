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
import type { ByteRange, ReadOptions, Store, StoredObject, StoreServer } from './store.ts';
import { isETag, readValidator } from './validator.ts';

/** What is asked of an object; its headers go beside those that say who asks. */
export type ObjectRequest = Pick<HttpRequest, 'range' | 'signal' | 'maxBytes' | 'meter' | 'headers'>;

export interface ObjectReply {
  reply: HttpReply;
  /** The request carried credentials or a query, which a server may repeat in many spellings: then nothing of its answer is quoted. */
  isSigned: boolean;
  /** What a user may do about a refusal. */
  advice?: string;
}

/** Gets whatever the server says about the object at an encoded path. */
export type ObjectRequester = (path: string, request: ObjectRequest) => Promise<ObjectReply>;

export interface HttpStoreOptions {
  request: ObjectRequester;
  /** The store is a gs:// or s3:// bucket. @default false */
  isBucket?: boolean;
  /** @default nothing beside the URL */
  identity?: () => Promise<unknown>;
}

/** Objects below an http(s) URL, and of gs:// and s3:// buckets: what their servers' replies mean. */
export class HttpStore implements Store {
  readonly url: string;
  /** Who asks, and the query. */
  readonly identity: () => Promise<unknown>;
  readonly #ask: ObjectRequester;
  readonly #bucket: boolean;
  #serverAddress: string | undefined;

  /** @param url For messages: no credentials, no query. */
  constructor(
    url: string,
    { request: ask, isBucket: bucket = false, identity = () => Promise.resolve([]) }: HttpStoreOptions,
  ) {
    this.url = url.replace(/\/+$/, '');
    this.#ask = ask;
    this.#bucket = bucket;
    this.identity = identity;
  }

  get server(): StoreServer {
    const { origin, hostname } = new URL(this.url);
    return { origin, hostname, address: this.#serverAddress };
  }

  async read(
    key: string,
    {
      range,
      signal,
      maxBytes = DEFAULT_MAX_BYTES,
      absentBy403 = false,
      meter,
      ifNoneMatch,
      mayBeCut = false,
    }: ReadOptions = {},
  ): Promise<StoredObject | undefined> {
    signal?.throwIfAborted();
    const path = encodeKey(key);
    const nothing = answerEmptyRange(range);
    if (nothing) return nothing;
    const url = `${this.url}/${path}`;
    const answer = await this.#ask(path, {
      range,
      signal,
      maxBytes,
      meter,
      ...(ifNoneMatch !== undefined && isETag(ifNoneMatch) && { headers: { 'if-none-match': ifNoneMatch } }),
    });
    const { reply, isSigned: signed } = answer;
    const { status } = reply;
    this.#serverAddress = reply.serverAddress;
    if (status === 404) return undefined;
    if (status === 403 && absentBy403 && this.#bucket && !signed) {
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
    const contentEncoding = normalizeContentEncoding(reply.headers['content-encoding']);
    const part = status === 206 ? partOf(url, reply, range, mayBeCut) : undefined;
    const validator = readValidator(reply.headers, part ? part.totalBytes : reply.body.byteLength);
    return { bytes: reply.body, contentEncoding, validator, ...part };
  }
}

const quote = ({ reply: { body, headers }, isSigned: signed, advice }: ObjectReply): string => {
  const said = signed ? '' : excerpt(body, headers);
  return `${said && `: ${said}`}${advice === undefined ? '' : `; ${advice}`}`;
};

/** Asks below a URL; its query, of a signed prefix, goes with every key. */
export function createUrlRequester(
  base: URL,
  { http, headers, allowAddress }: { http: HttpClient; headers?: Headers; allowAddress?: AddressPolicy },
): ObjectRequester {
  const signed = headers !== undefined || base.search !== '' || base.username !== '' || base.password !== '';
  const prefix = `${base.protocol}//${userInfo(base)}${base.host}${base.pathname.replace(/\/+$/, '')}`;
  return async (path, request) => ({
    reply: await http.request({
      ...request,
      url: `${prefix}/${path}${base.search}`,
      headers: { ...headers, ...request.headers },
      allowAddress,
    }),
    isSigned: signed,
  });
}

const userInfo = ({ username, password }: URL): string =>
  username || password ? `${username}:${password}@` : '';

/**
 * What a 206 says it holds; anything but the asked range, cut at the object's end, is an error. RFC 9110, 14.4.
 *
 * @param mayBeCut Where the server does not say where that end is (`*`), a part may be cut anywhere.
 */
function partOf(
  url: string,
  { headers, body, status }: HttpReply,
  asked: ByteRange | undefined,
  mayBeCut: boolean,
): Pick<StoredObject, 'range' | 'totalBytes'> {
  const said = String(headers['content-range'] ?? '');
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(said.trim()) ?? [];
  const got = { start: Number(first), end: Number(last) + 1 };
  const isCut =
    asked &&
    got.end < asked.end &&
    (size === '*' ? mayBeCut && got.end > got.start : got.end === Number(size));
  const fits = asked && got.start === asked.start && (got.end === asked.end || isCut);
  if (fits && body.byteLength === got.end - got.start)
    return { range: got, ...(size !== '*' && { totalBytes: Number(size) }) };
  const wanted = asked ? `bytes ${asked.start}-${asked.end - 1}` : 'everything';
  throw new RequestError(
    'BAD_RESPONSE',
    `${url}: asked for ${wanted}, got ${body.byteLength} bytes said to be "${said.slice(0, 60)}"`,
    url,
    status,
  );
}
