/** `fetch` over one of our HTTP clients: for vendors' libraries that ask a token endpoint with a `fetch` they are given. */
import type { HttpClient } from './http-request.ts';
import { isMethod } from './exchange.ts';

/** Tokens are short; whatever is longer is none. */
const MAX_BYTES = 1 << 20;

/** They are about how the body came here, not about what it is now. */
const OF_THE_WIRE = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** Timeouts and `close()` are the client's; redirects are answers, so that nothing sent follows them. */
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
      retry: false, // the library's own
      followRedirects: false,
    });
    const said = Object.entries(headers)
      .filter(([name]) => !OF_THE_WIRE.has(name))
      .flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]));
    return new Response(body.byteLength > 0 ? Buffer.from(body) : null, { status, headers: said });
  };
