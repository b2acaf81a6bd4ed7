/**
 * The requests and responses of mocks. They are plain data: the same handler works on a socket, on nock, or
 * in a direct call.
 */

/** An HTTP request to a mock. */
export interface MockRequest {
  /** Method in upper case. */
  method: string;
  /** Path as sent: percent-encoded, without the query. */
  path: string;
  /** Parameters of the query. */
  query: URLSearchParams;
  /** Headers by name in lower case. */
  headers: Record<string, string>;
  /** Body as sent; empty when there is none. */
  body: Uint8Array;
  /**
   * Origin at which the mocks are mounted, such as `http://127.0.0.1:49152`.
   * @default 'http://mock.invalid'
   */
  origin?: string;
}

/** The response of a mock, with the ways in which a connection can fail. */
export interface MockResponse {
  /** HTTP status. */
  status: number;
  /**
   * Headers by name in lower case. The mount adds `content-length`. A mock may set a wrong one: if it is too
   * large the connection ends early, and if it is too small the client loses the rest of the body.
   */
  headers: Record<string, string>;
  /** Body to send; empty when there is none. */
  body: Uint8Array;
  /** The connection ends before any answer. */
  reset?: true;
  /** The connection ends after this many bytes of the body. The headers promise all of it. */
  truncateAt?: number;
  /** The body stops after this many bytes, and the connection stays open. */
  stallAt?: number;
  /** How many IDs were requested. Only the request log uses it. */
  ids?: number;
}

/** The part of the body that is sent, and what happens after it. */
export function transmission({ headers, body, truncateAt, stallAt }: MockResponse): {
  bytes: Uint8Array;
  then: 'end' | 'reset' | 'stall';
} {
  const promised = Number(headers['content-length'] ?? body.byteLength);
  if (stallAt !== undefined) return { bytes: body.subarray(0, stallAt), then: 'stall' };
  if (truncateAt !== undefined) return { bytes: body.subarray(0, truncateAt), then: 'reset' };
  return { bytes: body.subarray(0, promised), then: promised > body.byteLength ? 'reset' : 'end' };
}

/** Statuses whose responses have no body and no Content-Length. RFC 9110, 8.6. */
const BODILESS = new Set([204, 304]);

/** Whether the status allows a body. */
export const hasBody = ({ status }: MockResponse): boolean => !BODILESS.has(status);

/** The headers to send: those of the response, and the Content-Length that the mount adds. */
export const sentHeaders = (response: MockResponse): Record<string, string> =>
  hasBody(response)
    ? { 'content-length': String(response.body.byteLength), ...response.headers }
    : response.headers;

/** Answers a request, at once or later. An exception ends the connection. */
export type MockHandler = (request: MockRequest) => MockResponse | Promise<MockResponse>;

/** Origin of a request that names none. */
export const DEFAULT_ORIGIN = 'http://mock.invalid';

const encoder = new TextEncoder();

/** Text as UTF-8. */
export const textBytes = (text: string): Uint8Array => encoder.encode(text);

/** Makes a response with a content type. Text becomes UTF-8. */
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
 * Makes a request that can be passed to `handle` of a mock, without any network.
 *
 * @param method In any case.
 * @param target Path and query, such as `/bucket/info?x=1`.
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
