import { RequestError } from '../base/errors.ts';
import { DEFAULT_MAX_BYTES, type AllowAddress, type HttpClient, type HttpReply } from '../http/client.ts';
import { excerpt, isHtmlPage, redactUrl } from '../http/excerpt.ts';
import { beyondEnd, emptyRange, encodeKey } from './keys.ts';
import type { ByteRange, ReadOptions, Store, StoredObject } from './store.ts';

export interface HttpStoreOptions {
  http: HttpClient;
  /** Sent to this store's origin and nowhere else. */
  headers?: Readonly<Record<string, string>>;
  allowAddress?: AllowAddress;
  /** The store is a gs:// or s3:// bucket. @default false */
  bucket?: boolean;
}

/** Objects below an http(s) URL. Also gs:// and s3:// by their HTTPS endpoints. */
export class HttpStore implements Store {
  readonly url: string;
  readonly #base: string;
  /** Of a signed prefix; goes with every key. */
  readonly #query: string;
  /** Requests carry a query or credentials, which a server may repeat in many spellings: then nothing of its answers is quoted. */
  readonly #signed: boolean;
  readonly #options: HttpStoreOptions;

  constructor(base: URL, options: HttpStoreOptions) {
    const path = base.pathname.replace(/\/+$/, '');
    this.#query = base.search;
    this.#base = `${base.protocol}//${userInfo(base)}${base.host}${path}`;
    this.url = redactUrl(base).replace(/\/+$/, '');
    this.#options = options;
    this.#signed = options.headers !== undefined || base.search !== '' || base.username !== '' || base.password !== '';
  }

  async read(key: string, { range, signal, maxBytes = DEFAULT_MAX_BYTES, absentBy403 = false, meter }: ReadOptions = {}): Promise<StoredObject | undefined> {
    signal?.throwIfAborted();
    const path = encodeKey(key);
    const nothing = emptyRange(range);
    if (nothing) return nothing;
    const { http, headers, allowAddress, bucket = false } = this.#options;
    const url = `${this.url}/${path}`;
    const reply = await http.request({ url: `${this.#base}/${path}${this.#query}`, headers, range, signal, maxBytes, meter, allowAddress });
    const { status } = reply;
    if (status === 404) return undefined;
    if (status === 403 && absentBy403 && bucket && !headers) {
      if (meter) meter.absentBy403++;
      return undefined;
    }
    if (status === 416 && range) throw beyondEnd(url, range, status);
    if (status !== 200 && status !== 206)
      throw new RequestError('HTTP_STATUS', `${url} answered ${status}${this.#quote(reply)}`, url, status);
    if (isHtmlPage(reply.body, reply.headers))
      throw new RequestError('BAD_RESPONSE', `${url} answered with a web page${this.#quote(reply)}`, url, status);
    const contentEncoding = reply.headers['content-encoding']?.trim().toLowerCase() || undefined;
    return { bytes: reply.body, contentEncoding, ...(status === 206 && partOf(url, reply, range)) };
  }

  #quote({ body, headers }: HttpReply): string {
    const said = this.#signed ? '' : excerpt(body, headers);
    return said && `: ${said}`;
  }
}

const userInfo = ({ username, password }: URL): string => (username || password ? `${username}:${password}@` : '');

/** What a 206 says it holds; anything but the asked range, cut at the object's end, is an error. RFC 9110, 14.4. */
function partOf(url: string, { headers, body, status }: HttpReply, asked: ByteRange | undefined): Pick<StoredObject, 'range' | 'totalBytes'> {
  const said = String(headers['content-range'] ?? '');
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(said.trim()) ?? [];
  const got = { start: Number(first), end: Number(last) + 1 };
  const fits = asked && got.start === asked.start && (got.end === asked.end || (got.end < asked.end && got.end === Number(size)));
  if (fits && body.byteLength === got.end - got.start) return { range: got, ...(size !== '*' && { totalBytes: Number(size) }) };
  const wanted = asked ? `bytes ${asked.start}-${asked.end - 1}` : 'everything';
  throw new RequestError('BAD_RESPONSE', `${url}: asked for ${wanted}, got ${body.byteLength} bytes said to be "${said.slice(0, 60)}"`, url, status);
}
