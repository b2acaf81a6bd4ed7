import type { MockRequest, MockResponse } from './message.ts';

/** One request that a mock received. */
export interface LoggedRequest {
  /** The method, in upper case. */
  method: string;
  /** The path, without the query. */
  path: string;
  /** The query, without the `?`. */
  query: string;
  /** The headers, with names in lower case. */
  headers: Record<string, string>;
  /** The size of the request's body. */
  bodyBytes: number;
  /** 0 while the answer is under way, and when there was none (a stall, a reset). */
  status: number;
  /** The bytes of the answer's body that were sent. */
  responseBytes: number;
  /** IDs in the body of a roots_binary request. */
  ids?: number;
}

/** A string is found anywhere in the path, a RegExp is matched against it. */
export type PathPattern = string | RegExp;

/** Everything a mock was asked, in the order of arrival: what tests count. */
export class RequestLog {
  /** All requests, in the order of arrival. */
  readonly requests: LoggedRequest[] = [];
  /** Most requests that were under way at once. Without a delay mocks answer at once and this stays near 1. */
  highestConcurrency = 0;
  readonly #underWay = new Set<MockRequest>();

  /** The request has arrived. Saying it twice (a mount that waits first, then the server) counts it once. */
  arrived(request: MockRequest): void {
    this.#underWay.add(request);
    this.highestConcurrency = Math.max(this.highestConcurrency, this.#underWay.size);
  }

  /** Runs `answer` and keeps a line about it. */
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
      this.#underWay.delete(request);
    }
  }

  /** Requests whose path matches; all of them without a pattern. */
  matching(path: PathPattern = ''): LoggedRequest[] {
    return this.requests.filter((line) =>
      typeof path === 'string' ? line.path.includes(path) : line.path.search(path) >= 0,
    );
  }

  /** Counts the requests whose path matches; all of them without a pattern. */
  count(path?: PathPattern): number {
    return this.matching(path).length;
  }

  /** How often each route was asked, by `POST /segmentation/api/v1/table/mock/node/{id}/root`: IDs in a path count as one, queries do not count. */
  byRoute(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { method, path } of this.requests) {
      const route = `${method} ${path.replace(/\/\d{9,}(?=\/|$)/g, '/{id}')}`;
      counts[route] = (counts[route] ?? 0) + 1;
    }
    return counts;
  }

  /** How many IDs each roots_binary request held, in the order of arrival. */
  idsPerBatch(): number[] {
    return this.requests.flatMap(({ ids }) => (ids === undefined ? [] : [ids]));
  }

  /** Bytes of bodies: those of the requests, and those of the answers, as far as they were sent. */
  bytes(path?: PathPattern): {
    /** Bytes of the requests' bodies. */
    up: number;
    /** Bytes of the answers' bodies, as far as they were sent. */
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
   * Credentials that came, by the host they were meant for (with its port), each once: of Authorization what follows the scheme, of
   * `middle_auth_token` its value. As they came, not hashed: tests use tokens that open nothing.
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

  /** Forgets all requests. */
  clear(): void {
    this.requests.length = 0;
    this.highestConcurrency = this.#underWay.size;
  }
}
