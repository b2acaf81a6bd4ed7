/** What goes in and out of a mock: plain data, so that one handler can be mounted on a socket, on nock, or called directly. */

export interface MockRequest {
  /** Upper case. */
  method: string;
  /** As sent: percent-encoded, without the query. */
  path: string;
  /** The query, decoded. */
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** The body; empty if there is none. */
  body: Uint8Array;
  /** Where the mocks are mounted, `http://127.0.0.1:49152`. @default 'http://mock.invalid' */
  origin?: string;
}

/** One answer of a mock. */
export interface MockResponse {
  /** The HTTP status. */
  status: number;
  /**
   * Names in lower case. `content-length` is the mount's to add. A mock that lies about it gets what a client makes of it: of a longer one
   * the connection ends early, of a shorter one the rest of the body is lost.
   */
  headers: Record<string, string>;
  /** The body; empty if there is none. */
  body: Uint8Array;
  /** The connection ends before any answer. */
  reset?: true;
  /** The connection ends after so many bytes of the body; the headers promise all of it. */
  truncateAt?: number;
  /** Nothing comes after so many bytes of the body, and the connection stays open. */
  stallAt?: number;
  /** IDs asked for; only for the request log. */
  ids?: number;
}

/** How many bytes of its body an answer gets to send, and what happens then. */
export function transmission({ headers, body, truncateAt, stallAt }: MockResponse): {
  bytes: Uint8Array;
  then: 'end' | 'reset' | 'stall';
} {
  const promised = Number(headers['content-length'] ?? body.byteLength);
  if (stallAt !== undefined) return { bytes: body.subarray(0, stallAt), then: 'stall' };
  if (truncateAt !== undefined) return { bytes: body.subarray(0, truncateAt), then: 'reset' };
  return { bytes: body.subarray(0, promised), then: promised > body.byteLength ? 'reset' : 'end' };
}

/** Answers that have no body, and say no length. RFC 9110, 8.6. */
const BODILESS = new Set([204, 304]);

export const hasBody = ({ status }: MockResponse): boolean => !BODILESS.has(status);

/** With the length that the mount adds. */
export const sentHeaders = (response: MockResponse): Record<string, string> =>
  hasBody(response)
    ? { 'content-length': String(response.body.byteLength), ...response.headers }
    : response.headers;

/** Answers a request. It may be async. */
export type MockHandler = (request: MockRequest) => MockResponse | Promise<MockResponse>;

export const DEFAULT_ORIGIN = 'http://mock.invalid';

const encoder = new TextEncoder();

export const textBytes = (text: string): Uint8Array => encoder.encode(text);

export const reply = (
  status: number,
  contentType: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): MockResponse => ({
  status,
  headers: { 'content-type': contentType, ...headers },
  body: typeof body === 'string' ? textBytes(body) : body,
});

/**
 * A request to hand to a mock without any network.
 *
 * @param target Path and query, `/bucket/info?x=1`.
 */
export function mockRequest(
  method: string,
  target: string,
  {
    headers = {},
    body = new Uint8Array(0),
    origin,
  }: { headers?: Record<string, string>; body?: Uint8Array | string; origin?: string } = {},
): MockRequest {
  const mark = target.indexOf('?');
  return {
    method: method.toUpperCase(),
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    body: typeof body === 'string' ? textBytes(body) : body,
    origin,
  };
}
