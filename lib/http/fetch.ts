/** `fetch` over one of our HTTP clients: for vendors' libraries that ask a token endpoint with a `fetch` they are given. */
import type { HttpClient } from './client.ts';

/** Tokens are short; whatever is longer is none. */
const MAX_BYTES = 1 << 20;

/** Timeouts and `close()` are the client's; redirects are answers, so that nothing sent follows them. */
export const fetchOver = (http: HttpClient): typeof fetch => async (input, init) => {
  const request = new Request(input, { ...init, signal: null });
  const { status, body, headers } = await http.request({
    url: request.url,
    method: request.method === 'GET' ? 'GET' : 'POST',
    headers: { ...Object.fromEntries(request.headers), 'accept-encoding': 'identity' },
    body: new Uint8Array(await request.arrayBuffer()),
    signal: init?.signal ?? undefined,
    maxBytes: MAX_BYTES,
    retry: false, // the library's own
    followRedirects: false,
  });
  return new Response(body.byteLength > 0 ? Buffer.from(body) : null, { status, headers: { 'content-type': headers['content-type'] ?? '' } });
};
