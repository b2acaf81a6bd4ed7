/** Bytes of replies against what RFC 9112 says of them, and against what node:http makes of them. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { MessageParser } from '../../lib/http/message-parser.ts';
import { seeded } from '../../testing/random.ts';
import { readWithNode, readWithParser, type Outcome } from '../support/read-reply.ts';
import { changeReply, cutReply, REPLIES } from '../support/reply-bytes.ts';
import { rounds } from '../support/rounds.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const read = (...texts: string[]): Outcome => readWithParser(texts.map(bytes));
/** A reply of status 200. */
const ok = (headers: string, body = ''): string => `HTTP/1.1 200 OK\r\n${headers}\r\n\r\n${body}`;
const chunked = (body: string): string => ok('Transfer-Encoding: chunked', body);
const empty = (header: string): string => ok(`${header}\r\nContent-Length: 0`);
const without = (outcome: Outcome): Outcome => ({ ...outcome, isKept: false });

describe('a body', () => {
  test.each<[string, string, string, boolean]>([
    ['of a stated length', ok('Content-Length: 5', 'hello'), 'hello', true],
    ['of length 0', ok('Content-Length: 0'), '', true],
    ['of length 00', ok('Content-Length: 00'), '', true],
    ['with an empty line behind it', ok('Content-Length: 5', 'hello\r\n'), 'hello', false],
    ['with an empty line before its head', `\r\n${ok('Content-Length: 5', 'hello')}`, 'hello', true],
    ['of a connection that closes', ok('Connection: close\r\nContent-Length: 2', 'hi'), 'hi', false],
    ['that ends with the connection', 'HTTP/1.1 200 OK\r\n\r\nbody', 'body', false],
    ['that is empty and ends with the connection', 'HTTP/1.1 200 OK\r\n\r\n', '', false],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nbody', 'body', false],
    ['of HTTP/1.0 with a length', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi', 'hi', false],
    [
      'of HTTP/1.0 that is kept',
      'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi',
      'hi',
      true,
    ],
    [
      'of HTTP/1.0 in chunks',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
      'hi',
      false,
    ],
    ['in chunks', chunked('2\r\nhi\r\nA\r\n0123456789\r\n0\r\n\r\n'), 'hi0123456789', true],
    ['in chunks, with digits of both cases', chunked('00a\r\n0123456789\r\n00\r\n\r\n'), '0123456789', true],
    ['in chunks that hold lines', chunked('4\r\n\r\n\r\n\r\n0\r\n\r\n'), '\r\n\r\n', true],
    ['in no chunks', chunked('0\r\n\r\n'), '', true],
    ['in chunks with extensions', chunked('2;a=b;c="d e";f\r\nhi\r\n0;g=\r\n\r\n'), 'hi', true],
    ['in chunks with trailers', chunked('2\r\nhi\r\n0\r\nX: y\r\nETag: z\r\n\r\n'), 'hi', true],
    ['in Chunked', ok('Transfer-Encoding: Chunked', '0\r\n\r\n'), '', true],
    ['of status 204', 'HTTP/1.1 204 No Content\r\n\r\n', '', true],
    ['of status 204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', '', false],
    ['of status 204 in chunks', 'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n', '', false],
    ['of status 304', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', '', true],
    ['of status 304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', '', false],
    ['behind 100', `HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 2', 'hi')}`, 'hi', true],
    [
      'behind 103 and 102',
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok('Content-Length: 2', 'hi')}`,
      'hi',
      true,
    ],
  ])('%s is read, in one piece and in pieces of one byte', (_name, text, body, isKept) => {
    const whole = read(text);
    expect(whole).toMatchObject({ body, isKept });
    expect(read(...text)).toEqual(whole);
    const wrong = Array.from(text, (_byte, at) => at).filter(
      (at) => !isDeepStrictEqual(without(read(text.slice(0, at), text.slice(at))), without(whole)),
    );
    expect(wrong).toEqual([]);
  });

  test.each<[string, string, string]>([
    ['two equal lengths', ok('Content-Length: 5\r\nContent-Length: 5', 'hello'), 'UNEXPECTED_CONTENT_LENGTH'],
    ['two lengths', ok('Content-Length: 5\r\nContent-Length: 6', 'hello'), 'UNEXPECTED_CONTENT_LENGTH'],
    ...['5, 5', '', '+5', '-5', '5x', '0x5', '5 5', '1e1', '9007199254740993', '99999999999999999999'].map(
      (length): [string, string, string] => [
        `the length ${JSON.stringify(length)}`,
        ok(`Content-Length: ${length}`, 'hello'),
        'INVALID_CONTENT_LENGTH',
      ],
    ),
    [
      'a length and chunks',
      ok('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
      'INVALID_TRANSFER_ENCODING',
    ],
    [
      'chunks and a length',
      ok('Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
      'INVALID_TRANSFER_ENCODING',
    ],
    ...['gzip', 'identity', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'xchunked', ''].map(
      (coding): [string, string, string] => [
        `the coding ${JSON.stringify(coding)}`,
        ok(`Transfer-Encoding: ${coding}`, '0\r\n\r\n'),
        'INVALID_TRANSFER_ENCODING',
      ],
    ),
    [
      'chunks in two headers',
      ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
      'INVALID_TRANSFER_ENCODING',
    ],
    ...[
      '0x2',
      '-2',
      '+2',
      '',
      ' 2',
      '2 ',
      'g',
      '2;',
      '2 ;a',
      '2; a',
      '2;a b',
      '2;a="',
      '2;\x01',
      '2;a=\x7f',
    ].map((line): [string, string, string] => [
      `the chunk line ${JSON.stringify(line)}`,
      chunked(`${line}\r\nhi\r\n0\r\n\r\n`),
      'INVALID_CHUNK_SIZE',
    ]),
    ['a chunk of 2^48 bytes', chunked('1000000000000\r\nhi'), 'INVALID_CHUNK_SIZE'],
    ['a chunk longer than stated', chunked('2\r\nhiX\r\n0\r\n\r\n'), 'STRICT'],
    ['a bare LF behind a size', chunked('2\nhi\r\n0\r\n\r\n'), 'CR_EXPECTED'],
    ['a bare LF behind a chunk', chunked('2\r\nhi\n0\r\n\r\n'), 'STRICT'],
    ['a bare CR behind a chunk', chunked('2\r\nhi\r0\r\n\r\n'), 'STRICT'],
    ['a bare LF behind the trailers', chunked('2\r\nhi\r\n0\r\n\n'), 'CR_EXPECTED'],
    ['a trailer that is not a header', chunked('2\r\nhi\r\n0\r\ntrailer\r\n\r\n'), 'INVALID_HEADER_TOKEN'],
    ['a folded trailer', chunked('2\r\nhi\r\n0\r\n X: y\r\n\r\n'), 'INVALID_HEADER_TOKEN'],
    ['a length in the trailers', chunked('0\r\nContent-Length: 5\r\n\r\n'), 'INVALID_CONTENT_LENGTH'],
    ['a coding in the trailers', chunked('0\r\nTransfer-Encoding: gzip\r\n\r\n'), 'INVALID_CONTENT_LENGTH'],
    ['100 that closes', `HTTP/1.1 100 C\r\nConnection: close\r\n\r\n${empty('X: y')}`, 'CLOSED_CONNECTION'],
    [
      '100 with a length',
      `HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n${empty('X: y')}`,
      'INVALID_CONTENT_LENGTH',
    ],
    [
      '100 in chunks',
      `HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n${empty('X: y')}`,
      'INVALID_CONTENT_LENGTH',
    ],
    ['100 with a bad header', `HTTP/1.1 100 C\r\nbad\r\n\r\n${empty('X: y')}`, 'INVALID_HEADER_TOKEN'],
  ])('with %s is refused', (_name, text, code) => {
    expect(read(text)).toEqual({ error: `HPE_${code}` });
    expect(read(...text)).toHaveProperty('error');
  });

  test.each<[string, string]>([
    ['a byte too many', ok('Content-Length: 4', 'hello')],
    ['two replies', ok('Content-Length: 2', 'hi') + ok('Content-Length: 0')],
    ['a body of 204', 'HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\nhello'],
    ['a body of 304', 'HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('with %s is refused, or ends the connection if the rest comes later', (_name, text) => {
    expect(read(text)).toEqual({ error: 'HPE_CLOSED_CONNECTION' });
    expect(read(...text)).toMatchObject({ isKept: false });
  });

  test.each([
    ['before the head', ''],
    ['within the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['behind an informational head', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['within a body', ok('Content-Length: 5', 'hell')],
    ['within a size', chunked('2')],
    ['within a chunk', chunked('2\r\nh')],
    ['behind a chunk', chunked('2\r\nhi\r\n')],
    ['before the trailers', chunked('2\r\nhi\r\n0\r\n')],
    ['within the trailers', chunked('2\r\nhi\r\n0\r\nX: y\r\n')],
    ['by a change of protocol', 'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ])('that ends early is an error: %s', (_when, text) => {
    expect(read(text)).toEqual({ error: 'ECONNRESET' });
  });
});

describe('a head', () => {
  test('has names in lower case, values without spaces around them, and joined repetitions', () => {
    const text = ok(
      [
        'X-A:b',
        'X-B: \t c d\t\xff \t',
        'X-Empty:',
        'x-a: e',
        'Set-Cookie: a=1',
        'set-cookie: b=2',
        'ETag: "1"',
        'ETag: "2"',
        'X-Space: \xa0',
        'Content-Length: 0',
      ].join('\r\n'),
    );
    const outcome = read(text);
    expect(outcome).toEqual({
      status: 200,
      headers: {
        'x-a': 'b, e',
        'x-b': 'c d\t\xff',
        'x-empty': '',
        'set-cookie': ['a=1', 'b=2'],
        etag: '"1"',
        'x-space': '\xa0',
        'content-length': '0',
      },
      body: '',
      isKept: true,
    });
    expect(read(...text)).toEqual(outcome);
  });
  test('may have any name of an object', () => {
    expect(read(empty('constructor: a\r\n__proto__: b\r\nhasOwnProperty: c'))).toMatchObject({
      headers: { constructor: 'a', hasownproperty: 'c' },
    });
  });
  test.each([
    ['HTTP/1.1 200', 200],
    ['HTTP/1.1 200 ', 200],
    ['HTTP/1.1 299 \xe9t\xe9', 299],
    ['HTTP/1.1 999 X', 999],
  ])('may begin with %j', (line, status) => {
    expect(read(`${line}\r\nContent-Length: 0\r\n\r\n`)).toMatchObject({ status });
  });
  test.each([
    ['keep-alive', true],
    ['x, CLOSE', false],
    ['x,\tclose', false],
    ['close, x', false],
    ['closed', true],
    ['x\r\nConnection: close', false],
    ['x\r\nProxy-Connection: close', false],
  ])('with `Connection: %j` keeps the connection: %p', (value, isKept) => {
    expect(read(empty(`Connection: ${value}`))).toMatchObject({ isKept });
  });

  test.each<[string, string]>([
    ['a bare LF behind a header', ok('X: a\nContent-Length: 0')],
    ['bare LFs', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a bare LF behind the status', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['a bare LF at its end', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n'],
    ['a bare CR in a value', empty('X: a\rb')],
    ['a bare CR in the status', 'HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n'],
    ['two CRs', 'HTTP/1.1 200 OK\r\rX: y\r\nContent-Length: 0\r\n\r\n'],
    ['NUL in a value', empty('X: a\0b')],
    ['NUL in a name', empty('X\0: a')],
    ['NUL in the status', 'HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n'],
    ['a control character', empty('X: a\x01b')],
    ['DEL', empty('X: a\x7fb')],
    ['a folded header', empty('X: a\r\n b')],
    ['a folded length', ok('Content-Length: 1\r\n 2', '123456789012')],
    ['a folded first header', ok(' X: a')],
    ['a space behind a name', empty('X : a')],
    ['a name beyond ASCII', empty('\xe9: a')],
    ['an empty name', empty(': a')],
    ['a header without a colon', empty('X')],
    ['a space too many', 'HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a tab', 'HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['no space', 'HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
    ['status 050', 'HTTP/1.1 050 OK\r\nContent-Length: 0\r\n\r\n'],
    ['HTTP/2.0', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['HTTP/0.9', 'HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['http/1.1', 'http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['another protocol', 'ICY 200 OK\r\n\r\n'],
    ['a request', 'GET / HTTP/1.1\r\n\r\n'],
    ['TLS', '\x15\x03\x01\x00\x02\x02\x46'],
  ])('with %s is refused', (_name, text) => {
    expect(read(text)).toEqual({ error: expect.stringMatching(/^HPE_/) });
    expect(read(...text)).toEqual({ error: expect.stringMatching(/^HPE_/) });
  });

  test.each([
    ['SSH-2.0-OpenSSH', 'HPE_INVALID_CONSTANT'],
    ['HTTP/2', 'HPE_INVALID_CONSTANT'],
    ['\0', 'HPE_INVALID_CONSTANT'],
    ['HTTP/1.1 200 OK\n', 'HPE_CR_EXPECTED'],
  ])('that cannot become one is refused before its end: %j', (text, code) => {
    const parser = silentParser();
    expect(() => parser.feed(bytes(text))).toThrow(code);
  });
  test.each(['g', '\r\n', ';', '-'])('so is a chunk line: %j', (text) => {
    const parser = silentParser();
    parser.feed(bytes(chunked('')));
    expect(() => parser.feed(bytes(text))).toThrow(/HPE_/);
  });
});

const silentParser = (onPiece: (piece: Uint8Array) => void = () => undefined): MessageParser => {
  const parser = new MessageParser({ onHead: () => undefined, onPiece, onEnd: () => undefined });
  parser.expect();
  return parser;
};

describe('memory and time', () => {
  /** Feeds `text` again and again. Returns how many bytes the parser took before it refused. */
  function endure(beginning: string, text: string, most = 200_000): number {
    const parser = silentParser(),
      piece = bytes(text);
    parser.feed(bytes(beginning));
    for (let fed = 0; fed < most; fed += piece.length)
      try {
        parser.feed(piece);
      } catch (error) {
        expect(error).toHaveProperty('code', 'HPE_HEADER_OVERFLOW');
        return fed;
      }
    return Infinity;
  }
  test.each([
    ['a status line', 'HTTP/1.1 200 ', 'xxxxxxxx'],
    ['headers', 'HTTP/1.1 200 OK\r\n', 'X: y\r\n'],
    ['a header', 'HTTP/1.1 200 OK\r\nX: ', 'y'],
    ['an extension', chunked('1;'), 'xxxxxxxx'],
    ['extensions of many chunks', chunked(''), '1;a=0123456789\r\nx\r\n'],
    ['a trailer', chunked('0\r\nX: '), 'yyyyyyyy'],
    ['trailers', chunked('0\r\n'), 'X: y\r\n'],
  ])('%s may have 16 KiB, however small the pieces', (_name, beginning, text) => {
    const taken = endure(beginning, text);
    expect(taken).toBeGreaterThan(15_000);
    expect(taken).toBeLessThan(40_000);
  });
  test('a head may have 16 KiB in one piece', () => {
    const head = (length: number): string => ok(`X: ${'y'.repeat(length)}\r\nContent-Length: 0`);
    expect(read(head(16_300))).toMatchObject({ status: 200 });
    expect(read(head(16_400))).toEqual({ error: 'HPE_HEADER_OVERFLOW' });
  });
  test.each([' ', '\t', ',', ';', ': ', '"', '=', 'a;', ' ,'])('16 KiB of %j take little time', (text) => {
    const long = text.repeat(16_000 / text.length);
    const start = process.cpuUsage();
    for (const last of ['', '\0', 'x']) {
      read(empty(`X:${long}${last}`));
      read(empty(`Connection:${long}${last}`));
      read(ok(`Transfer-Encoding:${long}${last}`));
      read(ok(`Content-Length:${long}${last}`));
      read(empty(`Keep-Alive:${long}${last}`));
      read(chunked(`1;a${long}${last}\r\n`));
      read(chunked(`0\r\nX:${long}${last}\r\n\r\n`));
    }
    // Patterns that go back took from seconds to hours.
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
  });
  test('a read in chunks gives one piece, so that small chunks take little memory', () => {
    const pieces: string[] = [];
    const parser = silentParser((piece) => pieces.push(Buffer.from(piece).toString('latin1')));
    parser.feed(bytes(chunked(`${'1\r\nx\r\n'.repeat(20_000)}3\r\nab`)));
    parser.feed(bytes('c\r\n2\r\nde\r\n1;x\r\n'));
    parser.feed(bytes('f\r\n0\r\n\r\n'));
    expect(pieces).toEqual([`${'x'.repeat(20_000)}ab`, 'cde', 'f']);
  });
  test('a body is not copied', () => {
    const parser = silentParser((piece) => expect(piece.buffer).toBe(given.buffer)),
      given = Uint8Array.from(bytes(ok('Content-Length: 5', 'hello')));
    parser.feed(given);
    expect.assertions(1);
  });
  test('a connection carries many replies', () => {
    const ends: boolean[] = [];
    const parser = new MessageParser({
      onHead: () => undefined,
      onPiece: () => undefined,
      onEnd: (isKept) => ends.push(isKept),
    });
    for (const text of [
      chunked('1\r\nx\r\n0\r\nX: y\r\n\r\n'),
      ok('Content-Length: 1', 'x'),
      empty('X: y'),
    ]) {
      expect(parser.isActive).toBe(false);
      parser.expect();
      for (const byte of bytes(text)) parser.feed(Uint8Array.of(byte));
    }
    expect([ends, parser.isActive]).toEqual([[true, true, true], false]);
  });
});

/** What is refused here, and read by node:http. */
const STRICTER: readonly [what: string, code: string, example: string][] = [
  ['bytes of another reply behind the reply', 'HPE_CLOSED_CONNECTION', `${empty('X: y')}HTTP/1.1 200 OK\r\n`],
  ['any coding but chunked', 'HPE_INVALID_TRANSFER_ENCODING', ok('Transfer-Encoding: gzip', 'x')],
  [
    'an informational reply with a length or coding',
    'HPE_INVALID_CONTENT_LENGTH',
    `HTTP/1.1 103 E\r\nContent-Length: 2\r\n\r\n${empty('X: y')}`,
  ],
  [
    'a length of more than 15 digits',
    'HPE_INVALID_CONTENT_LENGTH',
    ok('Content-Length: 0000000000000005', 'hello'),
  ],
  [
    'a coding in the trailers',
    'HPE_INVALID_CONTENT_LENGTH',
    chunked('0\r\nTransfer-Encoding: chunked\r\n\r\n'),
  ],
  [
    'a chunk size of more than 12 digits',
    'HPE_INVALID_CHUNK_SIZE',
    chunked('0000000000001\r\nx\r\n0\r\n\r\n'),
  ],
  ['a backslash in an extension', 'HPE_INVALID_CHUNK_SIZE', chunked('1;a="\\""\r\nx\r\n0\r\n\r\n')],
  ['NUL in the status line', 'HPE_INVALID_CONSTANT', 'HTTP/1.1 200 \0\r\nContent-Length: 0\r\n\r\n'],
  ['other versions', 'HPE_INVALID_CONSTANT', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a status below 100', 'HPE_INVALID_CONSTANT', 'HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n'],
  ['a change of protocol without its headers', 'ECONNRESET', 'HTTP/1.1 101 S\r\n\r\n'],
  [
    'a head of 16 KiB with its colons and line ends',
    'HPE_HEADER_OVERFLOW',
    empty(`X: ${'y'.repeat(16_355)}`),
  ],
];
/** Codes with which changed replies are refused that node:http reads. NUL and CR: only in a status line. */
const STRICTER_CODES = new Set(STRICTER.map(([, code]) => code));

describe('next to node:http', () => {
  test.each(STRICTER)('it refuses %s', async (_what, code, text) => {
    expect(read(text)).toEqual({ error: code });
    expect(await readWithNode([bytes(text)])).toHaveProperty('status');
  });

  test.each(REPLIES)('it reads the same: %j', async (text) => {
    const outcome = await readWithNode([bytes(text)]);
    expect(outcome).toHaveProperty('status');
    expect(read(text)).toEqual(outcome);
  });

  test('it reads the same of changed replies, or refuses them', async () => {
    const random = seeded(9112),
      counts = { read: 0, refused: 0, stricter: 0 };
    for (let k = 0; k < rounds(800); k++) {
      const text = changeReply(random.pick(REPLIES), random),
        pieces = cutReply(text, random);
      const ours = readWithParser(pieces),
        theirs = await readWithNode(pieces);
      if ('error' in theirs) counts.refused += 'error' in ours ? 1 : 0;
      else if ('error' in ours) counts.stricter += STRICTER_CODES.has(ours.error) ? 1 : 0;
      else counts.read += isSame(ours, theirs) ? 1 : 0;
      if (counts.read + counts.refused + counts.stricter <= k)
        expect({ text, pieces: pieces.map(String), ours }).toEqual({
          text,
          pieces: pieces.map(String),
          ours: theirs,
        });
    }
    expect(counts.read).toBeGreaterThan(rounds(130));
    expect(counts.stricter).toBeLessThan(rounds(96));
  });
});

/** Whether two replies are the same. A connection that node:http closes must not be kept. */
const isSame = (ours: Outcome, theirs: Outcome): boolean =>
  'status' in ours &&
  'status' in theirs &&
  JSON.stringify(without(ours)) === JSON.stringify(without(theirs)) &&
  (theirs.isKept || !ours.isKept);
