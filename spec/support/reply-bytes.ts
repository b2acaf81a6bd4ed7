/** Replies as servers send them, and changes to their bytes, for specs that compare two readers. */
import type { Random } from '../../testing/random.ts';

const date = 'Date: Thu, 26 Nov 2026 10:00:00 GMT';
const gzip = '\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4b\xcb\xcf\x07\x00\x21\x65\x73\x8c\x03\x00\x00\x00';

const lines = (...all: string[]): string => all.join('\r\n');

/** Bytes as latin1. The first ones are common, the last ones are rare. */
export const REPLIES: readonly string[] = [
  lines(
    'HTTP/1.1 200 OK',
    'X-GUploader-UploadID: ABg5-Uw_x',
    'Expires: Thu, 26 Nov 2026 11:00:00 GMT',
    date,
    'Cache-Control: public, max-age=3600',
    'Last-Modified: Tue, 01 Dec 2020 01:02:03 GMT',
    'ETag: "0123456789abcdef"',
    'x-goog-generation: 1606784523',
    'x-goog-hash: crc32c=AAAAAA==',
    'x-goog-hash: md5=1B2M2Y8AsgTpgAmY7PhCfg==',
    'Content-Type: application/octet-stream',
    'Accept-Ranges: bytes',
    'Content-Length: 11',
    'Server: UploadServer',
    '',
    'hello\r\nworld'.slice(0, 11),
  ),
  lines(
    'HTTP/1.1 206 Partial Content',
    'x-amz-id-2: x/y=',
    date,
    'ETag: "a"',
    'Content-Range: bytes 0-4/20',
    'Content-Length: 5',
    'Server: AmazonS3',
    '',
    'hello',
  ),
  lines(
    'HTTP/1.1 200 OK',
    'Server: nginx/1.25',
    date,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    'Connection: keep-alive',
    'Keep-Alive: timeout=5',
    'Content-Encoding: gzip',
    '',
    '17',
    gzip,
    '0',
    '',
    '',
  ),
  lines(
    'HTTP/1.1 200 OK',
    'transfer-encoding: Chunked',
    '',
    '3;a=b',
    'foo',
    'A;c;d="e"',
    '0123456789',
    '00',
    'X-Sum: 1',
    '',
    '',
  ),
  lines('HTTP/1.1 404 Not Found', 'Content-Length: 0', 'Set-Cookie: a=1', 'Set-Cookie: b=2', '', ''),
  lines(
    'HTTP/1.0 200 OK',
    'Server: SimpleHTTP/0.6 Python/3.11',
    'Content-type: text/html',
    '',
    'until the end',
  ),
  lines('HTTP/1.0 200 OK', 'Connection: Keep-Alive', 'Content-Length: 2', '', 'hi'),
  lines('HTTP/1.1 200 OK', 'Connection: close', '', 'body\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n'),
  lines('HTTP/1.1 204 No Content', date, '', ''),
  lines('HTTP/1.1 304 Not Modified', 'ETag: "a"', 'Vary: A', 'Vary: B', '', ''),
  lines(
    'HTTP/1.1 100 Continue',
    '',
    'HTTP/1.1 103 Early Hints',
    'Link: </x>',
    '',
    'HTTP/1.1 200 OK',
    'Content-Length: 3',
    '',
    'foo',
  ),
  lines('HTTP/1.1 503 Slow Down', 'Retry-After: 1', 'Connection: x, close', 'Content-Length:4', '', 'slow'),
];

const TOKENS = [
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '=',
  '"',
  '0',
  '1',
  '5',
  '9',
  'f',
  'x',
  '-',
  '+',
  '\x7f',
  '\x80',
  '\xff',
  '\x01',
  '\r\n',
  '\r\n\r\n',
  '\n\n',
  '\r\n ',
  'Content-Length: 5\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.0',
  '1.1',
  '204',
  '304',
  '100',
  '101',
  '0\r\n\r\n',
  '3\r\nfoo\r\n',
  'X: y\r\n',
  'Upgrade: x\r\n',
];

/** Changes a reply in one to three places. */
export function changeReply(reply: string, random: Random): string {
  let changed = reply;
  for (let changes = 1 + random.below(3); changes > 0; changes--) changed = changeOnce(changed, random);
  return changed;
}

function changeOnce(reply: string, random: Random): string {
  const at = random.below(reply.length + 1),
    to = Math.min(reply.length, at + random.pick([0, 1, 1, 2, 5, 20]));
  const before = reply.slice(0, at),
    middle = reply.slice(at, to),
    after = reply.slice(to);
  switch (random.below(8)) {
    case 0:
      return before + after;
    case 1:
      return before + middle + middle + after;
    case 2:
      return before;
    case 3:
      return reply + random.pick([random.pick(TOKENS), random.pick(REPLIES)]);
    case 4: {
      // A line is moved to another place.
      const all = reply.split('\r\n'),
        [line] = all.splice(random.below(all.length), 1);
      all.splice(random.below(all.length + 1), 0, line);
      return all.join('\r\n');
    }
    case 5:
      return before + String.fromCharCode(random.below(256)) + reply.slice(at + 1);
    default:
      return before + random.pick(TOKENS) + reply.slice(at + random.below(2));
  }
}

/** Cuts a reply at up to three places. */
export function cutReply(reply: string, random: Random): Buffer[] {
  const cuts = Array.from({ length: random.below(4) }, () => random.below(reply.length + 1)).sort(
    (a, b) => a - b,
  );
  const ends = [...cuts, reply.length];
  return ends
    .map((end, k) => Buffer.from(reply.slice(k === 0 ? 0 : ends[k - 1], end), 'latin1'))
    .filter(({ length }) => length > 0);
}
