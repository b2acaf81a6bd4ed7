/**
 * A `fetch` that sends through the SDK's own HTTP client. The vendors' libraries use it to request tokens.
 */
import type { HttpClient } from './http-request.ts';
import { isMethod } from './exchange.ts';

/** A longer reply cannot be a token. */
const MAX_BYTES = 1 << 20;

/** Headers about the transfer of the body, not about its content. */
const TRANSFER_HEADERS = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/**
 * Creates a `fetch` over an HTTP client, with the timeouts and the `close()` of that client. It does not
 * follow redirects, so that no secret follows them.
 */
export const createFetch =
  (http: HttpClient): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, { ...init, signal: null });
    const { method } = request;
    if (!isMethod(method)) throw new TypeError(`${method} is not a method that is sent`);
    const { status, body, headers } = await http.request({
      url: request.url,
      method,
      headers: { ...Object.fromEntries(request.headers), 'accept-encoding': 'identity' },
      body: new Uint8Array(await request.arrayBuffer()),
      signal: init?.signal ?? undefined,
      maxBytes: MAX_BYTES,
      retry: false, // the library retries
      followRedirects: false,
    });
    const replyHeaders = Object.entries(headers)
      .filter(([name]) => !TRANSFER_HEADERS.has(name))
      .flatMap(([name, value]) => [value ?? []].flat().map((item): [string, string] => [name, item]));
    return new Response(body.byteLength > 0 ? Buffer.from(body) : null, { status, headers: replyHeaders });
  };
