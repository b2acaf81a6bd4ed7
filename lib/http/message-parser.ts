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

/** The longest head in bytes, as in Node. As much again may come in the lines of the chunked transfer coding. */
const MAX_HEAD_BYTES = 16 * 1024;
const CR = 13,
  LF = 10;
const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\0\r\n]*)?$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
/** Whether a header may be sent or received. RFC 9110, 5.5 and 5.6.2. */
export const isHeader = (name: string, value: string): boolean =>
  TOKEN.test(name) && !FORBIDDEN_IN_VALUE.test(value);
/** The size of a piece, and extensions, which are ignored. The size is less than 2^48. */
const SIZE_LINE =
  /^([\da-f]{1,12})(?:;[!#$%&'*+\-.^_`|~\w]+(?:=(?:[!#$%&'*+\-.^_`|~\w]*|"[^"\\\0-\x08\x0a-\x1f\x7f]*"))?)*$/i;
const MAX_SIZE_DIGITS = 12;
/** Headers of which only the first counts, as in Node. The values of others are joined. */
const SINGLE_HEADERS = new Set([
  'age',
  'authorization',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);

type State = 'idle' | 'head' | 'fixed' | 'untilClose' | 'size' | 'piece' | 'pieceEnd' | 'trailer';

/** Parses the replies of one connection. Informational replies (1xx) are skipped. */
export class MessageParser {
  readonly #events: MessageEvents;
  #state: State = 'idle';
  /** The beginning of a head or line whose end has not come yet. */
  #rest: Buffer | undefined;
  /** Bytes of the rest that are known not to hold the end. */
  #searched = 0;
  /** Bytes of the body, or of its piece, that are still to come. */
  #left = 0;
  /** Bytes that extensions and trailers may still take. */
  #spare = 0;
  /** The part of the bytes fed that is body. The pieces of the chunked transfer coding are moved together. */
  #bodyStart = 0;
  #bodyEnd = 0;
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
    this.#searched = 0;
    this.#spare = MAX_HEAD_BYTES;
  }

  /**
   * Parses the next bytes, and may move them. The caller may overwrite them afterwards.
   * @throws BrokenMessage. The parser must not be used after that.
   */
  feed(bytes: Uint8Array): void {
    let input = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#rest) input = Buffer.concat([this.#rest, input]);
    this.#rest = undefined;
    this.#bodyStart = this.#bodyEnd = 0;
    let at = 0;
    while (at < input.length && this.isActive) {
      const next = this.#step(input, at);
      if (next === undefined) {
        this.#rest = Buffer.from(input.subarray(at));
        break;
      }
      at = next;
    }
    if (this.#bodyEnd > 0) this.#events.onPiece(input.subarray(this.#bodyStart, this.#bodyEnd));
    if (this.isActive) return;
    // Bytes behind a reply belong to no request: its length was wrong, or two were sent.
    if (!isBlankLines(input, at)) throw new BrokenMessage('HPE_CLOSED_CONNECTION');
    this.#events.onEnd(this.#isKept && at === input.length);
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
      case 'fixed':
      case 'untilClose':
      case 'piece':
        return this.#readBody(input, at);
      case 'pieceEnd':
        return this.#readPieceEnd(input, at);
      default:
        return this.#readLine(input, at);
    }
  }

  #readBody(input: Buffer, at: number): number {
    const end = Math.min(input.length, at + this.#left);
    this.#left -= end - at;
    if (this.#bodyEnd === 0) this.#bodyStart = at;
    else input.copyWithin(this.#bodyEnd, at, end);
    this.#bodyEnd = this.#bodyEnd === 0 ? end : this.#bodyEnd + end - at;
    if (this.#left === 0) this.#state = this.#state === 'fixed' ? 'idle' : 'pieceEnd';
    return end;
  }

  #readHead(input: Buffer, from: number): number | undefined {
    let at = from;
    while (this.#searched === 0 && (input[at] === CR || input[at] === LF)) at++;
    if (at > from) return at;
    const end = input.indexOf(HEAD_END, at + Math.max(0, this.#searched - HEAD_END.length + 1));
    if ((end < 0 ? input.length : end) - at > MAX_HEAD_BYTES) throw new BrokenMessage('HPE_HEADER_OVERFLOW');
    if (end < 0) {
      checkBeginning(input, at, this.#searched);
      this.#searched = input.length - at;
      return undefined;
    }
    this.#searched = 0;
    const [statusLine, ...lines] = input.toString('latin1', at, end).split('\r\n');
    const [, minor, code] = STATUS_LINE.exec(statusLine) ?? [];
    if (code === undefined) throw new BrokenMessage('HPE_INVALID_CONSTANT');
    const status = Number(code),
      headers = parseHeaders(lines);
    // A change of protocol was not asked for. Node ends such a request, too.
    if (status === 101) throw new BrokenMessage('ECONNRESET');
    if (status >= 200) this.#startBody(status, headers, minor === '1');
    else if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
      throw new BrokenMessage('HPE_INVALID_CONTENT_LENGTH');
    else if (connectionOptions(headers).includes('close')) throw new BrokenMessage('HPE_CLOSED_CONNECTION');
    return end + HEAD_END.length;
  }

  /** Decides how the end of the body is found. RFC 9112, 6.3. */
  #startBody(status: number, headers: IncomingHttpHeaders, isVersion11: boolean): void {
    const { 'transfer-encoding': coding, 'content-length': length } = headers;
    if (coding !== undefined && (length !== undefined || coding.toLowerCase() !== 'chunked'))
      throw new BrokenMessage('HPE_INVALID_TRANSFER_ENCODING');
    if (length !== undefined && !/^\d{1,15}$/.test(length))
      throw new BrokenMessage('HPE_INVALID_CONTENT_LENGTH');
    this.#left = Number(length ?? (coding === undefined ? Infinity : 0));
    const hasNoBody = status === 204 || status === 304;
    // A body that must not be there, or whose coding HTTP/1.0 does not know, may become the next reply.
    const isDoubtful = hasNoBody ? (coding ?? length ?? '0') !== '0' : coding !== undefined && !isVersion11;
    const options = connectionOptions(headers);
    this.#isKept =
      !isDoubtful && !options.includes('close') && (isVersion11 || options.includes('keep-alive'));
    if (hasNoBody) this.#state = 'idle';
    else if (coding !== undefined) this.#state = 'size';
    else if (length === undefined) this.#state = 'untilClose';
    else this.#state = this.#left > 0 ? 'fixed' : 'idle';
    this.#events.onHead(status, headers);
  }

  #readPieceEnd(input: Buffer, at: number): number | undefined {
    if (input[at] !== CR || (input.length > at + 1 && input[at + 1] !== LF))
      throw new BrokenMessage('HPE_STRICT');
    if (input.length === at + 1) return undefined;
    this.#state = 'size';
    return at + 2;
  }

  /** Reads a line of the chunked transfer coding: the size of a piece, or a trailer. RFC 9112, 7.1. */
  #readLine(input: Buffer, at: number): number | undefined {
    const end = input.indexOf(LF, at + this.#searched);
    if ((end < 0 ? input.length : end) - at > MAX_SIZE_DIGITS + 1 + this.#spare)
      throw new BrokenMessage('HPE_HEADER_OVERFLOW');
    if (end < 0) {
      if (this.#state === 'size' && !/[\da-f]/i.test(String.fromCharCode(input[at])))
        throw new BrokenMessage('HPE_INVALID_CHUNK_SIZE');
      this.#searched = input.length - at;
      return undefined;
    }
    this.#searched = 0;
    if (end === at || input[end - 1] !== CR) throw new BrokenMessage('HPE_CR_EXPECTED');
    const line = input.toString('latin1', at, end - 1);
    if (this.#state === 'size') this.#readSize(line);
    else this.#readTrailer(line);
    if (this.#spare < 0) throw new BrokenMessage('HPE_HEADER_OVERFLOW');
    return end + 1;
  }

  #readSize(line: string): void {
    const [, digits] = SIZE_LINE.exec(line) ?? [];
    if (digits === undefined) throw new BrokenMessage('HPE_INVALID_CHUNK_SIZE');
    this.#spare -= line.length - digits.length;
    this.#left = Number.parseInt(digits, 16);
    this.#state = this.#left > 0 ? 'piece' : 'trailer';
  }

  /** Reads a trailer, which nobody needs, or the empty line behind the last one. */
  #readTrailer(line: string): void {
    if (line === '') this.#state = 'idle';
    else if (/^(content-length|transfer-encoding)$/.test(parseHeader(line).name))
      throw new BrokenMessage('HPE_INVALID_CONTENT_LENGTH');
    this.#spare -= line.length;
  }
}

/**
 * Refuses what cannot become the head of a reply, so that a request does not wait for its end.
 * @param searched Bytes that were checked before.
 */
function checkBeginning(input: Buffer, at: number, searched: number): void {
  const beginning = input.toString('latin1', at, at + 'HTTP/1.'.length);
  if (!'HTTP/1.'.startsWith(beginning)) throw new BrokenMessage('HPE_INVALID_CONSTANT');
  for (let lf = input.indexOf(LF, at + searched); lf >= 0; lf = input.indexOf(LF, lf + 1))
    if (input[lf - 1] !== CR) throw new BrokenMessage('HPE_CR_EXPECTED');
}

/** Whether the rest of the bytes is empty lines at most. Some servers send one behind a reply. */
function isBlankLines(input: Buffer, from: number): boolean {
  for (let at = from; at < input.length; at++) if (input[at] !== CR && input[at] !== LF) return false;
  return true;
}

/** The options of the connection in lower case. A few servers use the second header, and Node reads it, too. */
const connectionOptions = ({ connection, 'proxy-connection': other }: IncomingHttpHeaders): string[] =>
  [connection, other].flatMap((options) =>
    typeof options === 'string' ? options.split(',').map((option) => option.trim().toLowerCase()) : [],
  );

function parseHeaders(lines: readonly string[]): IncomingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, never>;
  for (const line of lines) {
    const { name, value } = parseHeader(line),
      known = headers[name];
    if (known === undefined) headers[name] = name === 'set-cookie' ? [value] : value;
    else if (typeof known === 'object') known.push(value);
    else if (name === 'content-length') throw new BrokenMessage('HPE_UNEXPECTED_CONTENT_LENGTH');
    else if (!SINGLE_HEADERS.has(name)) headers[name] = `${known}, ${value}`;
  }
  return headers;
}

/** Parses one line. A loop removes the spaces: a pattern would need time that grows with their square or cube. */
function parseHeader(line: string): { name: string; value: string } {
  const colon = line.indexOf(':');
  let start = colon + 1,
    end = line.length;
  while (start < end && isBlank(line, start)) start++;
  while (end > start && isBlank(line, end - 1)) end--;
  const name = line.slice(0, Math.max(colon, 0)),
    value = line.slice(start, end);
  if (!isHeader(name, value)) throw new BrokenMessage('HPE_INVALID_HEADER_TOKEN');
  return { name: name.toLowerCase(), value };
}

const isBlank = (line: string, at: number): boolean => line[at] === ' ' || line[at] === '\t';
