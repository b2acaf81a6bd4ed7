/** Makes a mock misbehave on demand: delays, resets, error statuses, damaged bodies. It wraps any handler. */
import { setTimeout as wait } from 'node:timers/promises';
import { reply, textBytes, type MockHandler, type MockRequest, type MockResponse } from './message.ts';
import { randomFrom } from './random.ts';

/**
 * Which requests a fault hits, and what happens to them. A request is hit when it meets all of `match`,
 * `largerThan`, `rate`, `probability` and `times`. All effects that are set happen together.
 */
export interface Fault {
  /** A RegExp that `path?query` must match, as the server sees them, or a function. @default every request */
  match?: RegExp | ((request: MockRequest) => boolean);
  /** Hits only requests whose body is larger than this many bytes. @default any size */
  largerThan?: number;
  /**
   * Hits only the requests beyond this rate: more than `requests` in any `perMs` milliseconds. The answer has
   * a Retry-After header, in seconds, unless `headers` sets one.
   * @default every request
   */
  rate?: {
    /** How many requests of each interval are not hit. */
    requests: number;
    /** Length of the interval in milliseconds. @default 1000 */
    perMs?: number;
  };
  /**
   * The share of requests that are hit, 0 to 1. `seed` and the order of the requests decide which ones.
   * @default 1
   */
  probability?: number;
  /** Seed of the random numbers for `probability` and `corrupt`. @default 0 */
  seed?: number;
  /** How many requests the fault hits before it is used up. @default Infinity */
  times?: number;
  /** The clock for `rate` and `skewMs`, in milliseconds since 1970. @default Date.now */
  clock?: () => number;

  /** Milliseconds to wait before the answer. It can be the only effect. @default 0 */
  delayMs?: number;
  /**
   * `true`: no answer ever comes. A number: the body stops after this many bytes, and the connection stays
   * open.
   */
  stall?: true | number;
  /** Resets the connection before any answer. */
  reset?: true;
  /**
   * Status of an answer that replaces the server's. It has no body and no headers unless `body` and `headers`
   * are set.
   */
  status?: number;
  /** Answers with a web page, as a proxy or a login does. The status is 502 unless `status` is set. */
  html?: true;
  /** Headers to add, by name in lower case. They replace headers of the same name. */
  headers?: Record<string, string>;
  /** Replaces the body. */
  body?: Uint8Array | string;
  /** Answers as if the request had no Range header. */
  ignoreRange?: true;
  /** Resets the connection after this many bytes of the body. */
  truncate?: number;
  /**
   * Sends only this many bytes of the body, with a matching Content-Length: only the content shows that it is
   * incomplete.
   */
  cut?: number;
  /** Changes this many bytes of the body, spread over all of it. Its length stays. */
  corrupt?: number;
  /**
   * How many bytes Content-Length is too large; negative when it is too small. With too large a length the
   * connection ends early. With too small a length the client loses the rest of the body.
   */
  lengthOff?: number;
  /** How many milliseconds the Date header is ahead of the clock; negative when it is behind. */
  skewMs?: number;
}

/**
 * Puts faults in front of a handler. For each request the first fault that hits is applied.
 *
 * @param faults The list is read again for each request, so a test may add and remove faults at any time.
 */
export function withFaults(handler: MockHandler, faults: readonly Fault[]): MockHandler {
  const triggers = new WeakMap<Fault, Trigger>();
  const triggerOf = (fault: Fault): Trigger => {
    let trigger = triggers.get(fault);
    if (!trigger) triggers.set(fault, (trigger = new Trigger(fault)));
    return trigger;
  };
  return async (request) => {
    const fault = faults.find((candidate) => triggerOf(candidate).hits(request));
    return fault ? misbehave(fault, triggerOf(fault), request, handler) : handler(request);
  };
}

/** Decides whether a fault hits a request, by its count, its probability and its rate. */
class Trigger {
  readonly random: () => number;
  #hits = 0;
  /** Times of the recent requests that stayed within the rate. */
  #recent: number[] = [];
  /** Seconds until another request stays within the rate. */
  retryAfter = 0;

  constructor(readonly fault: Fault) {
    this.random = randomFrom(fault.seed ?? 0);
  }

  hits(request: MockRequest): boolean {
    const { times = Infinity, largerThan = -1, probability = 1 } = this.fault;
    if (this.#hits >= times || !matches(this.fault, request) || request.body.byteLength <= largerThan)
      return false;
    if (probability < 1 && this.random() >= probability) return false;
    if (this.#isWithinRate()) return false;
    this.#hits++;
    return true;
  }

  #isWithinRate(): boolean {
    const { rate, clock = Date.now } = this.fault;
    if (!rate) return false;
    const { requests, perMs = 1000 } = rate,
      now = clock();
    this.#recent = this.#recent.filter((time) => time > now - perMs);
    if (this.#recent.length < requests) return this.#recent.push(now) > 0;
    this.retryAfter =
      requests === 0 ? Math.ceil(perMs / 1000) : Math.ceil((this.#recent[0] + perMs - now) / 1000);
    return false;
  }
}

async function misbehave(
  fault: Fault,
  { random, retryAfter }: Trigger,
  request: MockRequest,
  handler: MockHandler,
): Promise<MockResponse> {
  const {
    delayMs,
    stall,
    reset,
    ignoreRange,
    rate,
    headers,
    body,
    truncate,
    cut,
    corrupt,
    lengthOff,
    skewMs,
    clock = Date.now,
  } = fault;
  if (delayMs) await wait(delayMs);
  if (stall === true) return new Promise<never>(() => undefined);
  if (reset) return { status: 0, headers: {}, body: new Uint8Array(0), reset: true };
  const changedRequest = ignoreRange ? { ...request, headers: { ...request.headers, range: '' } } : request;
  const answer = replacementFor(fault) ?? (await handler(changedRequest));
  let bytes = body === undefined ? answer.body : typeof body === 'string' ? textBytes(body) : body;
  if (cut !== undefined) bytes = bytes.subarray(0, cut);
  if (corrupt !== undefined) bytes = corrupted(bytes, corrupt, random);
  return {
    ...answer,
    headers: {
      ...answer.headers,
      ...(rate && { 'retry-after': String(retryAfter) }),
      ...(skewMs !== undefined && { date: new Date(clock() + skewMs).toUTCString() }),
      ...(lengthOff !== undefined && { 'content-length': String(Math.max(0, bytes.byteLength + lengthOff)) }),
      ...headers,
    },
    body: bytes,
    ...(truncate !== undefined && { truncateAt: truncate }),
    ...(stall !== undefined && { stallAt: stall }),
  };
}

/** The answer that replaces the server's; undefined when the server answers. */
function replacementFor({ status, html }: Fault): MockResponse | undefined {
  if (!html) return status === undefined ? undefined : { status, headers: {}, body: new Uint8Array(0) };
  return reply(
    status ?? 502,
    'text/html; charset=utf-8',
    `<html>\n<head><title>${status ?? 502}</title></head>\n<body><center><h1>${status ?? 502}</h1></center><hr><center>proxy</center></body>\n</html>\n`,
  );
}

/** A copy with `count` changed bytes, one in each of `count` equal parts. */
function corrupted(bytes: Uint8Array, count: number, random: () => number): Uint8Array {
  const copy = new Uint8Array(bytes),
    parts = Math.min(count, copy.length);
  for (let part = 0; part < parts; part++)
    copy[Math.floor(((part + random()) * copy.length) / parts)] ^= 1 + Math.floor(255 * random());
  return copy;
}

function matches({ match }: Fault, request: MockRequest): boolean {
  if (match === undefined) return true;
  if (typeof match === 'function') return match(request);
  const query = request.query.toString();
  return (query === '' ? request.path : `${request.path}?${query}`).search(match) >= 0;
}
