/**
 * Parses HTTP/1.1 replies from the bytes of a socket. Pure: bytes in, events out. It is as strict as llhttp,
 * the parser of Node: what could be read in two ways is refused. Source: RFC 9112.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** What a {@link MessageParser} reports of a reply: its head, the pieces of its body, its end. */
export interface MessageEvents {
  readonly onHead: (statusCode: number, headers: IncomingHttpHeaders) => void;
  /** Receives a piece of the body: a view of the bytes that were fed. */
  readonly onPiece: (piece: Uint8Array) => void;
  /** The whole reply has come. `isKept` tells whether the connection may carry another request. */
  readonly onEnd: (isKept: boolean) => void;
}

/** Bytes that are not a reply. `code` is the one that Node gives such an error. */
export class BrokenMessage extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** The longest head in bytes, as in Node. */
const MAX_HEAD_BYTES = 16 * 1024;
/** The longest line with the size of a piece, including its extensions. */
const MAX_LINE_BYTES = 4096;
const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_LINE = /^HTTP\/1\.([01]) (\d{3})(?: [^\0\r\n]*)?$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*([^\0\r\n]*?)[ \t]*$/;
/** Headers of which only the first counts, as in Node. The values of others are joined. */
const SINGLE_HEADERS = new Set([
  'age',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
]);

type State = 'idle' | 'head' | 'fixed' | 'untilClose' | 'size' | 'piece' | 'pieceEnd' | 'trailer';

/** Parses the replies of one connection. Informational replies (1xx) are skipped. */
export class MessageParser {
  readonly #events: MessageEvents;
  #state: State = 'idle';
  /** The beginning of a head or line whose end has not come yet. */
  #rest: Buffer | undefined;
  /** Bytes of the body, or of its piece, that are still to come. */
  #left = 0;
  #isKept = false;

  constructor(events: MessageEvents) {
    this.#events = events;
  }

  /** Whether a reply is expected or under way. */
  get isActive(): boolean {
    return this.#state !== 'idle';
  }

  /** Expects a reply. */
  expect(): void {
    this.#state = 'head';
    this.#rest = undefined;
  }

  /**
   * Parses the next bytes. The caller may overwrite them afterwards.
   * @throws BrokenMessage. The parser must not be used after that.
   */
  feed(bytes: Uint8Array): void {
    let input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#rest) input = Buffer.concat([this.#rest, input]);
    this.#rest = undefined;
    for (let at = 0; at < input.length && this.isActive;) {
      const next = this.#step(input, at);
      if (next === undefined) {
        this.#rest = Buffer.from(input.subarray(at));
        return;
      }
      at = next;
      // Bytes behind a reply belong to no request.
      if (!this.isActive) return this.#events.onEnd(this.#isKept && at === input.length);
    }
  }

  /**
   * The server has closed the connection, which ends a reply without a stated length.
   * @throws BrokenMessage if the reply is incomplete.
   */
  close(): void {
    const state = this.#state;
    this.#state = 'idle';
    if (state === 'untilClose') this.#events.onEnd(false);
    else if (state !== 'idle') throw new BrokenMessage('ECONNRESET');
  }

  /** Parses one part of the reply. Returns the position behind it; undefined if more bytes are needed. */
  #step(input: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(input, at);
      case 'untilClose':
        this.#events.onPiece(input.subarray(at));
        return input.length;
      case 'fixed':
      case 'piece':
        return this.#readBody(input, at);
      default:
        return this.#readLine(input, at);
    }
  }

  #readBody(input: Buffer, at: number): number {
    const end = Math.min(input.length, at + this.#left);
    this.#left -= end - at;
    this.#events.onPiece(input.subarray(at, end));
    if (this.#left === 0) this.#state = this.#state === 'fixed' ? 'idle' : 'pieceEnd';
    return end;
  }

  #readHead(input: Buffer, at: number): number | undefined {
    const end = input.indexOf(HEAD_END, at);
    if ((end < 0 ? input.length : end) - at > MAX_HEAD_BYTES) throw new BrokenMessage('HPE_HEADER_OVERFLOW');
    if (end < 0) {
      checkBeginning(input, at);
      return undefined;
    }
    const [statusLine, ...lines] = input.toString('latin1', at, end).split('\r\n');
    const [, minor, code] = STATUS_LINE.exec(statusLine) ?? [];
    if (code === undefined) throw new BrokenMessage('HPE_INVALID_CONSTANT');
    const status = Number(code);
    // A change of protocol was not asked for. Node ends such a request, too.
    if (status === 101) throw new BrokenMessage('ECONNRESET');
    if (status >= 200) this.#startBody(status, parseHeaders(lines), minor === '1');
    return end + HEAD_END.length;
  }

  /** Decides how the end of the body is found. RFC 9112, 6.3. */
  #startBody(status: number, headers: IncomingHttpHeaders, isVersion11: boolean): void {
    const { connection = '', 'transfer-encoding': coding, 'content-length': length } = headers;
    const connectionOptions = connection.toLowerCase().split(/[ ,]+/);
    this.#isKept = isVersion11
      ? !connectionOptions.includes('close')
      : connectionOptions.includes('keep-alive');
    if (coding !== undefined && length !== undefined) throw new BrokenMessage('HPE_INVALID_CONTENT_LENGTH');
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw new BrokenMessage('HPE_INVALID_CONTENT_LENGTH');
    this.#left = Number(length ?? 0);
    if (status === 204 || status === 304) this.#state = 'idle';
    else if (coding !== undefined) this.#state = /(^|[ ,])chunked$/i.test(coding) ? 'size' : 'untilClose';
    else if (length === undefined) this.#state = 'untilClose';
    else this.#state = this.#left > 0 ? 'fixed' : 'idle';
    this.#events.onHead(status, headers);
  }

  /** Reads a line of the chunked transfer coding. RFC 9112, 7.1. */
  #readLine(input: Buffer, at: number): number | undefined {
    const end = input.indexOf(CRLF, at);
    if ((end < 0 ? input.length : end) - at > MAX_LINE_BYTES) throw new BrokenMessage('HPE_HEADER_OVERFLOW');
    if (end < 0) return undefined;
    const isEmpty = end === at;
    if (this.#state === 'trailer') {
      if (isEmpty) this.#state = 'idle';
    } else if (this.#state === 'pieceEnd') {
      if (!isEmpty) throw new BrokenMessage('HPE_STRICT');
      this.#state = 'size';
    } else {
      const [, digits] =
        /^([\da-f]{1,12})(?:[ \t]*;[^\0\r\n]*)?$/i.exec(input.toString('latin1', at, end)) ?? [];
      if (digits === undefined) throw new BrokenMessage('HPE_INVALID_CHUNK_SIZE');
      this.#left = Number.parseInt(digits, 16);
      this.#state = this.#left > 0 ? 'piece' : 'trailer';
    }
    return end + CRLF.length;
  }
}

/** Refuses what cannot become the head of a reply, so that a request does not wait for its end. */
function checkBeginning(input: Buffer, at: number): void {
  const beginning = input.toString('latin1', at, at + 'HTTP/1.'.length);
  if (!'HTTP/1.'.startsWith(beginning)) throw new BrokenMessage('HPE_INVALID_CONSTANT');
  if (/[^\r]\n/.test(input.toString('latin1', at))) throw new BrokenMessage('HPE_CR_EXPECTED');
}

function parseHeaders(lines: readonly string[]): IncomingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, never>;
  for (const line of lines) {
    const [, given, value] = HEADER_LINE.exec(line) ?? [];
    if (given === undefined) throw new BrokenMessage('HPE_INVALID_HEADER_TOKEN');
    const name = given.toLowerCase(),
      known = headers[name];
    if (name === 'set-cookie') headers[name] = [...((known as string[] | undefined) ?? []), value];
    else if (known === undefined) headers[name] = value;
    else if (name === 'content-length') {
      if (known !== value) throw new BrokenMessage('HPE_UNEXPECTED_CONTENT_LENGTH');
    } else if (!SINGLE_HEADERS.has(name)) headers[name] = `${known as string}, ${value}`;
  }
  return headers;
}
