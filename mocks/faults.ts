/** Servers that misbehave on demand: a wrapper around any handler. */
import { setTimeout as wait } from 'node:timers/promises';
import { textBytes, type MockHandler, type MockRequest, type MockResponse } from './message.ts';

export interface Fault {
  /** A RegExp is matched against `path?query` as the server sees them. */
  match: RegExp | ((request: MockRequest) => boolean);
  /** How many requests it hits before it is spent. @default Infinity */
  times?: number;
  /** Waits first. The fault may ask for nothing else. */
  delayMs?: number;
  /** The request is answered as if it had no Range header. */
  ignoreRange?: true;
  /** Never answers. */
  stall?: true;
  /** The connection is reset before any answer. */
  reset?: true;
  /** Answers without asking the server behind: with an empty body and no headers unless they are given. */
  status?: number;
  /** Added to the answer, and replacing what has the same name (lower case). */
  headers?: Record<string, string>;
  /** In place of the body. */
  body?: Uint8Array | string;
  /** The connection is reset after so many bytes of the body. */
  truncate?: number;
}

/**
 * `handler` with faults in front of it: the first that matches and is not spent is applied.
 *
 * @param faults Read again for each request, so that a test may add and remove faults as it goes.
 */
export function withFaults(handler: MockHandler, faults: readonly Fault[]): MockHandler {
  const hits = new Map<Fault, number>();
  return async (request) => {
    const fault = faults.find((candidate) => (hits.get(candidate) ?? 0) < (candidate.times ?? Infinity) && matches(candidate, request));
    if (!fault) return handler(request);
    hits.set(fault, (hits.get(fault) ?? 0) + 1);
    if (fault.delayMs) await wait(fault.delayMs);
    if (fault.stall) return new Promise<never>(() => undefined);
    if (fault.reset) return { status: 0, headers: {}, body: new Uint8Array(0), reset: true };
    const asked = fault.ignoreRange ? { ...request, headers: { ...request.headers, range: '' } } : request;
    const answer: MockResponse = fault.status === undefined ? await handler(asked) : { status: fault.status, headers: {}, body: new Uint8Array(0) };
    return {
      ...answer,
      headers: { ...answer.headers, ...fault.headers },
      body: fault.body === undefined ? answer.body : typeof fault.body === 'string' ? textBytes(fault.body) : fault.body,
      ...(fault.truncate === undefined ? {} : { truncateAt: fault.truncate }),
    };
  };
}

function matches({ match }: Fault, request: MockRequest): boolean {
  if (typeof match === 'function') return match(request);
  const query = request.query.toString();
  return (query === '' ? request.path : `${request.path}?${query}`).search(match) >= 0;
}
