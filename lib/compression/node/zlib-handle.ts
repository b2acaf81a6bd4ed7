/**
 * Decompresses gzip and deflate with one zlib handle again and again. Node's own functions make a stream and a
 * handle for every call, which takes a fifth of the time of a small chunk.
 *
 * Node does not document the handle. It is therefore tried before its first use, and it only ever gives complete
 * outputs: whatever is not plain success is left to Node's documented functions, which also name the error.
 */
import { constants, createGunzip, createInflate, deflateSync, gzipSync } from 'node:zlib';

/** The parts of a stream of node:zlib that are used. */
interface Engine {
  close(): void;
  readonly _handle: {
    reset(): void;
    writeSync(
      flush: number,
      input: Uint8Array,
      inputOffset: number,
      inputLength: number,
      output: Uint8Array,
      outputOffset: number,
      outputLength: number,
    ): void;
    onerror: unknown;
  };
  /** After a write: how many bytes are left of the output, and of the input. */
  readonly _writeState: Uint32Array;
}

/** The formats that a handle decompresses. */
export type HandleFormat = 'gzip' | 'deflate';

const CREATE: Record<HandleFormat, () => unknown> = { gzip: createGunzip, deflate: createInflate };
const ENCODE = { gzip: gzipSync, deflate: deflateSync };

/** The engine that waits for its next stream. */
const idle: Partial<Record<HandleFormat, Engine>> = {};
/** Whether handles of a format work as this file expects. */
const usable: Partial<Record<HandleFormat, boolean>> = {};
let hasFailed = false;

/**
 * Decompresses a complete stream into the beginning of `output`.
 * @returns The size of the content. Undefined if the content does not fit with a byte to spare, or if anything is
 *   unusual: then `output` may hold anything.
 */
export function inflateInto(format: HandleFormat, bytes: Uint8Array, output: Uint8Array): number | undefined {
  return (usable[format] ??= worksAsExpected(format)) ? inflateWith(format, bytes, output) : undefined;
}

/** An engine is used again only after success. */
function inflateWith(format: HandleFormat, bytes: Uint8Array, output: Uint8Array): number | undefined {
  if (bytes.byteLength === 0) return undefined;
  const engine = idle[format] ?? createEngine(format);
  idle[format] = undefined;
  const { _handle: handle, _writeState: state } = engine;
  hasFailed = false;
  handle.reset();
  handle.writeSync(constants.Z_FINISH, bytes, 0, bytes.byteLength, output, 0, output.byteLength);
  const [outputLeft, inputLeft] = state;
  if (hasFailed || inputLeft > 0 || outputLeft === 0) {
    engine.close();
    return undefined;
  }
  idle[format] = engine;
  return output.byteLength - outputLeft;
}

function createEngine(format: HandleFormat): Engine {
  const engine = CREATE[format]() as Engine;
  engine._handle.onerror = () => (hasFailed = true);
  return engine;
}

/** Tries a handle on good streams, a broken one, a cut one, and with too little memory for the output. */
function worksAsExpected(format: HandleFormat): boolean {
  const content = Uint8Array.from({ length: 300 }, (_, k) => k >> 2),
    stream = Uint8Array.from(ENCODE[format](content)),
    broken = stream.map((byte, at) => (at === stream.length - 1 ? byte ^ 1 : byte)),
    output = new Uint8Array(content.length + 1);
  const isRead = (): boolean =>
    inflateWith(format, stream, output.fill(0)) === content.length &&
    content.every((byte, at) => output[at] === byte);
  try {
    return (
      isRead() &&
      isRead() &&
      inflateWith(format, broken, output) === undefined &&
      inflateWith(format, stream.subarray(0, -1), output) === undefined &&
      inflateWith(format, stream, output.subarray(0, -1)) === undefined &&
      isRead()
    );
  } catch {
    return false;
  }
}
