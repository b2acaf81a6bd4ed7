/** The log of the requests to a mock, with the counts that tests assert. */
import type { MockRequest, MockResponse } from './message.ts';

/** One request of a log. */
export interface LoggedRequest {
  /** Method in upper case. */
  method: string;
  /** Path as the mock saw it: percent-encoded, without the query. */
  path: string;
  /** The query without its question mark; empty when there is none. */
  query: string;
  /** Headers by name in lower case. */
  headers: Record<string, string>;
  /** Size of the request's body, in bytes. */
  bodyBytes: number;
  /** Status of the answer; 0 while the request is in flight, and after a stall or a reset. */
  status: number;
  /** Bytes of the answer's body that were sent. */
  responseBytes: number;
  /** How many IDs a roots_binary request had. */
  ids?: number;
}

/** A string that the path contains, or a RegExp that it matches. */
export type PathPattern = string | RegExp;

/**
 * All requests to a mock, in the order of arrival.
 *
 * @example
 * expect(graph.log.count('roots_binary')).toBe(1);
 * expect(graph.log.idsPerBatch()).toEqual([250]);
 */
export class RequestLog {
  /** All requests so far. */
  readonly requests: LoggedRequest[] = [];
  /**
   * The most requests that were in flight at once. Mocks without a delay answer at once, so it stays near 1.
   */
  highestConcurrency = 0;
  readonly #inFlight = new Set<MockRequest>();

  /**
   * Records that a request has arrived. The mount may call it before the server does; the request counts
   * once.
   */
  arrived(request: MockRequest): void {
    this.#inFlight.add(request);
    this.highestConcurrency = Math.max(this.highestConcurrency, this.#inFlight.size);
  }

  /** Runs `answer` and logs the request. */
  async record(
    request: MockRequest,
    answer: () => MockResponse | Promise<MockResponse>,
  ): Promise<MockResponse> {
    this.arrived(request);
    const { method, path, query, headers, body } = request;
    const line: LoggedRequest = {
      method,
      path,
      query: query.toString(),
      headers,
      bodyBytes: body.byteLength,
      status: 0,
      responseBytes: 0,
    };
    this.requests.push(line);
    try {
      const response = await answer();
      if (response.reset) return response;
      line.status = response.status;
      line.responseBytes =
        method === 'HEAD'
          ? 0
          : Math.min(response.body.byteLength, response.truncateAt ?? Infinity, response.stallAt ?? Infinity);
      if (response.ids !== undefined) line.ids = response.ids;
      return response;
    } finally {
      this.#inFlight.delete(request);
    }
  }

  /** The requests whose path matches. @param path The pattern. Without it all requests match. */
  matching(path: PathPattern = ''): LoggedRequest[] {
    return this.requests.filter((line) =>
      typeof path === 'string' ? line.path.includes(path) : line.path.search(path) >= 0,
    );
  }

  /** How many requests have a path that matches. @param path The pattern. Without it all requests match. */
  count(path?: PathPattern): number {
    return this.matching(path).length;
  }

  /**
   * How many requests each route got, by names such as `POST /segmentation/api/v1/table/mock/node/{id}/root`.
   * IDs in the path become `{id}`; the query is left out.
   */
  byRoute(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { method, path } of this.requests) {
      const route = `${method} ${path.replace(/\/\d{9,}(?=\/|$)/g, '/{id}')}`;
      counts[route] = (counts[route] ?? 0) + 1;
    }
    return counts;
  }

  /** How many IDs each roots_binary request had, in the order of arrival. */
  idsPerBatch(): number[] {
    return this.requests.flatMap(({ ids }) => (ids === undefined ? [] : [ids]));
  }

  /**
   * Bytes of all bodies: `up` of the requests, `down` of the answers as far as they were sent.
   * @param path The pattern of the path. Without it all requests match.
   */
  bytes(path?: PathPattern): {
    /** Bytes of the requests' bodies. */
    up: number;
    /** Bytes of the answers' bodies that were sent. */
    down: number;
  } {
    const sum = { up: 0, down: 0 };
    for (const { bodyBytes, responseBytes } of this.matching(path)) {
      sum.up += bodyBytes;
      sum.down += responseBytes;
    }
    return sum;
  }

  /**
   * The tokens that clients sent, each once, by the host (with its port) that they were sent to. They come
   * from the Authorization header, without its scheme, and from `middle_auth_token` in the query or in a
   * cookie. They are not hashed, so use the log only with test tokens.
   */
  tokensByHost(): Record<string, string[]> {
    const seen: Record<string, string[]> = {};
    for (const { headers, query } of this.requests) {
      const found = [
        headers.authorization?.replace(/^\S+\s+/, ''),
        new URLSearchParams(query).get('middle_auth_token') ?? undefined,
        /(?:^|;\s*)middle_auth_token=([^;]*)/.exec(headers.cookie ?? '')?.[1],
      ];
      for (const token of found)
        if (token !== undefined && !seen[headers.host]?.includes(token))
          (seen[headers.host] ??= []).push(token);
    }
    return seen;
  }

  /** Removes all requests from the log. Those in flight still count for `highestConcurrency`. */
  clear(): void {
    this.requests.length = 0;
    this.highestConcurrency = this.#inFlight.size;
  }
}
