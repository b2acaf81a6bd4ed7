/**
 * The least that an HTTP/2 client in JavaScript could do: it cuts a TLS connection into frames and collects bodies. It
 * decodes no headers and checks nothing. It bounds what a client of our own could gain. RFC 9113.
 */
import tls from 'node:tls';

const DATA = 0,
  HEADERS = 1,
  SETTINGS = 4,
  PING = 6,
  WINDOW_UPDATE = 8;
const ACKNOWLEDGED = 1,
  END_STREAM = 1,
  END_HEADERS = 4;
const STREAM_WINDOW = 4 << 20,
  WINDOW = 32 << 20,
  MAX_FRAME = 1 << 18,
  READ_BYTES = 256 * 1024;

const numberBytes = (value) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const setting = (name, value) => Buffer.concat([Buffer.from([0, name]), numberBytes(value)]);

function frame(kind, flags, stream, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = kind;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header with a name of the static table and a value of less than 127 bytes, as it is. */
function field(index, value) {
  const text = Buffer.from(value);
  return Buffer.concat([
    Buffer.from(index < 15 ? [index] : [15, index - 15]),
    Buffer.from([text.length]),
    text,
  ]);
}

/** Opens one connection. */
export function openFrames(port) {
  const streams = new Map(),
    readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  let rest,
    received = 0,
    nextId = 1,
    unsent = [];

  const send = (bytes) => {
    if (unsent.push(bytes) > 1) return;
    queueMicrotask(() => {
      const all = unsent;
      unsent = [];
      socket.write(Buffer.concat(all));
    });
  };

  const take = (kind, flags, id, payload) => {
    const stream = streams.get(id);
    if (kind === DATA) {
      stream.pieces.push(new Uint8Array(payload));
      received += payload.length;
      if (received > WINDOW / 4) {
        send(frame(WINDOW_UPDATE, 0, 0, numberBytes(received)));
        received = 0;
      }
    } else if (kind === HEADERS) stream.head = payload.toString('latin1');
    else if (kind === SETTINGS && !(flags & ACKNOWLEDGED))
      send(frame(SETTINGS, ACKNOWLEDGED, 0, Buffer.alloc(0)));
    else if (kind === PING && !(flags & ACKNOWLEDGED)) send(frame(PING, ACKNOWLEDGED, 0, payload));
    if (!stream || !(flags & END_STREAM)) return;
    streams.delete(id);
    stream.resolve(stream.pieces.length === 1 ? stream.pieces[0] : Buffer.concat(stream.pieces));
  };

  const feed = (bytes) => {
    const input = rest ? Buffer.concat([rest, bytes]) : bytes;
    let at = 0;
    while (input.length - at >= 9) {
      const end = at + 9 + input.readUIntBE(at, 3);
      if (end > input.length) break;
      take(input[at + 3], input[at + 4], input.readUInt32BE(at + 5), input.subarray(at + 9, end));
      at = end;
    }
    rest = at < input.length ? Buffer.from(input.subarray(at)) : undefined;
  };

  const socket = tls.connect({
    host: '127.0.0.1',
    port,
    ALPNProtocols: ['h2'],
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (bytes, buffer) => {
        feed(buffer.subarray(0, bytes));
        return true;
      },
    },
  });
  send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  send(
    frame(
      SETTINGS,
      0,
      0,
      Buffer.concat([setting(1, 0), setting(2, 0), setting(4, STREAM_WINDOW), setting(5, MAX_FRAME)]),
    ),
  );
  send(frame(WINDOW_UPDATE, 0, 0, numberBytes(WINDOW)));

  const get = (path) =>
    new Promise((resolve) => {
      const id = nextId;
      nextId += 2;
      streams.set(id, { resolve, pieces: [], head: '' });
      const headers = [field(1, `127.0.0.1:${port}`), field(4, path), field(58, 'bench'), field(16, 'gzip')];
      send(
        frame(HEADERS, END_STREAM | END_HEADERS, id, Buffer.concat([Buffer.from([0x82, 0x87]), ...headers])),
      );
    });
  return { get, close: () => socket.destroy() };
}
