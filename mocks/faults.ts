/** Servers that misbehave on demand: a wrapper around any handler. */
import { setTimeout as wait } from 'node:timers/promises';
import { reply, textBytes, type MockHandler, type MockRequest, type MockResponse } from './message.ts';
import { randomFrom } from './random.ts';

/** Which requests are hit, and what happens to them. All that is said of which must hold; all that is said of what happens, together. */
export interface Fault {
  /** A RegExp is matched against `path?query` as the server sees them. @default every request */
  match?: RegExp | ((request: MockRequest) => boolean);
  /** Only requests whose body has more bytes than this. */
  largerThan?: number;
  /** Only requests beyond so many in any `perMs` (1000). The answer says in Retry-After when there is room again, unless `headers` does. */
  rate?: {
    /** How many requests are answered in each interval. */
    requests: number;
    /** The length of the interval in ms. @default 1000 */
    perMs?: number;
  };
  /** Only so many of them, 0 to 1, by chance; which ones depends on `seed` (0) and their order alone. @default 1 */
  probability?: number;
  /** Of `probability` and `corrupt`. @default 0 */
  seed?: number;
  /** How many requests it hits before it is spent. @default Infinity */
  times?: number;
  /** Milliseconds since 1970, for `rate` and `skewMs`. @default Date.now */
  clock?: () => number;

  /** Waits first. The fault may ask for nothing else. */
  delayMs?: number;
  /** Never answers; a number: stops after so many bytes of the body, and keeps the connection open. */
  stall?: true | number;
  /** The connection is reset before any answer. */
  reset?: true;
  /** Answers without asking the server behind: with an empty body and no headers unless they are given. */
  status?: number;
  /** The body is a web page, as of a proxy or a login. Without `status`: 502. */
  html?: true;
  /** Added to the answer, and replacing what has the same name (lower case). */
  headers?: Record<string, string>;
  /** In place of the body. */
  body?: Uint8Array | string;
  /** The request is answered as if it had no Range header. */
  ignoreRange?: true;
  /** The connection is reset after so many bytes of the body. */
  truncate?: number;
  /** Only so many bytes of the body, and a Content-Length that agrees: nothing but the content tells. */
  cut?: number;
  /** So many bytes of the body are changed, here and there; its length stays. */
  corrupt?: number;
  /** Content-Length says so many bytes more than there are (the connection then ends early), or fewer if negative (the rest is lost). */
  lengthOff?: number;
  /** The Date header is so many milliseconds ahead, or behind if negative. */
  skewMs?: number;
}

/**
 * `handler` with faults in front of it: the first that matches and is not spent is applied.
 *
 * @param faults Read again for each request, so that a test may add and remove faults as it goes.
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

/** Whether a fault hits a request: its count, its chance, its rate. */
class Trigger {
  readonly random: () => number;
  #hits = 0;
  /** When requests were let by, of those that still count. */
  #recent: number[] = [];
  /** Seconds until one more would be let by. */
  retryAfter = 0;

  constructor(readonly fault: Fault) {
    this.random = randomFrom(fault.seed ?? 0);
  }

  hits(request: MockRequest): boolean {
    const { times = Infinity, largerThan = -1, probability = 1 } = this.fault;
    if (this.#hits >= times || !matches(this.fault, request) || request.body.byteLength <= largerThan)
      return false;
    if (probability < 1 && this.random() >= probability) return false;
    if (this.#letBy()) return false;
    this.#hits++;
    return true;
  }

  #letBy(): boolean {
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
  const asked = ignoreRange ? { ...request, headers: { ...request.headers, range: '' } } : request;
  const answer = instead(fault) ?? (await handler(asked));
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

/** What is answered without asking the server behind. */
function instead({ status, html }: Fault): MockResponse | undefined {
  if (!html) return status === undefined ? undefined : { status, headers: {}, body: new Uint8Array(0) };
  return reply(
    status ?? 502,
    'text/html; charset=utf-8',
    `<html>\n<head><title>${status ?? 502}</title></head>\n<body><center><h1>${status ?? 502}</h1></center><hr><center>proxy</center></body>\n</html>\n`,
  );
}

/** A copy with `count` other bytes, one in each of as many equal parts. */
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
