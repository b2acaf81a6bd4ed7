import type { MockRequest, MockResponse } from './message.ts';

export interface LoggedRequest {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  bodyBytes: number;
  /** 0 while the answer is under way, and when there was none (a stall, a reset). */
  status: number;
  responseBytes: number;
  /** IDs in the body of a roots_binary request. */
  ids?: number;
}

/** A string is found anywhere in the path, a RegExp is matched against it. */
export type PathPattern = string | RegExp;

/** Everything a mock was asked, in the order of arrival: what tests count. */
export class RequestLog {
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
  async record(request: MockRequest, answer: () => MockResponse | Promise<MockResponse>): Promise<MockResponse> {
    this.arrived(request);
    const { method, path, query, headers, body } = request;
    const line: LoggedRequest = { method, path, query: query.toString(), headers, bodyBytes: body.byteLength, status: 0, responseBytes: 0 };
    this.requests.push(line);
    try {
      const response = await answer();
      if (response.reset) return response;
      line.status = response.status;
      line.responseBytes = method === 'HEAD' ? 0 : Math.min(response.body.byteLength, response.truncateAt ?? Infinity);
      if (response.ids !== undefined) line.ids = response.ids;
      return response;
    } finally {
      this.#underWay.delete(request);
    }
  }

  /** Requests whose path matches; all of them without a pattern. */
  matching(path: PathPattern = ''): LoggedRequest[] {
    return this.requests.filter((line) => (typeof path === 'string' ? line.path.includes(path) : line.path.search(path) >= 0));
  }

  count(path?: PathPattern): number {
    return this.matching(path).length;
  }

  /** How many IDs each roots_binary request held, in the order of arrival. */
  idsPerBatch(): number[] {
    return this.requests.flatMap(({ ids }) => (ids === undefined ? [] : [ids]));
  }

  clear(): void {
    this.requests.length = 0;
    this.highestConcurrency = this.#underWay.size;
  }
}
