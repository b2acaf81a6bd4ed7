/**
 * Decodes Zstandard frames with the reference decoder, as WebAssembly in @bokuweb/zstd-wasm. Dictionaries are
 * not supported. Two things are checked here, because the package does not check them: that the frames are
 * complete, and that their content fits in memory.
 * Source: RFC 8878.
 *
 * node:zlib cannot be used: Node 20 has no zstd, and Node 22.23 and 24.21 return only the first frame,
 * without an error (or nothing, if that frame is skippable). zstddec 0.3.4 cannot be used either: for broken
 * data it returns an empty result, or never ends while streaming.
 */
import { DecodeError } from '../base/errors.ts';
import { importPackage } from '../http/import-package.ts';

const MAGIC = 0xfd2fb528;
/** The magic number of a skippable frame without its last 4 bits, which may have any value. */
const SKIPPABLE = 0x184d2a5;
const MAX_BLOCK = 128 * 1024;
/**
 * An empty frame without a content size. The package sizes its output by the first frame; with this one it
 * uses our size instead.
 */
const UNSIZED_FRAME = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, 0x01, 0x00, 0x00);
/**
 * The most bytes of input and output together. The memory of WebAssembly ends at twice that, and the decoder
 * does not check for it.
 */
const MAX_HEAP = 2 ** 30;

/** Values of ZSTD_ErrorCode, which the package puts into its messages. Source: zstd_errors.h. */
const WINDOW_TOO_LARGE = 16,
  CHECKSUM_WRONG = 22,
  DICTIONARY_WRONG = 32,
  DESTINATION_TOO_SMALL = 70;

type Decoder = typeof import('@bokuweb/zstd-wasm');
declare const WebAssembly: { Memory: new (options: { initial: number }) => unknown };

let loaded: Promise<Decoder> | undefined;

/**
 * Decodes all frames of `bytes`, one after the other. The decoder is loaded by the first call, and keeps the
 * memory of its largest call.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE or UNSUPPORTED (a dictionary, a
 *   window larger than 1 GB, no memory to load the decoder).
 */
export async function decodeZstd(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  requireRoom(bytes, maxBytes); // before the decoder is loaded
  return (await loadZstd())(bytes, maxBytes);
}

/** Loads the decoder. @returns What {@link decodeZstd} does, without waiting. */
export async function loadZstd(): Promise<(bytes: Uint8Array, maxBytes: number) => Uint8Array> {
  const { decompress } = await decoder();
  return (bytes, maxBytes) => decodeWith(decompress, bytes, maxBytes);
}

const tooLarge = (maxBytes: number): DecodeError =>
  new DecodeError('TOO_LARGE', `zstd: more than the ${maxBytes} bytes expected`);

/** Returns the most bytes that may come out, as far as the frames tell. */
function requireRoom(bytes: Uint8Array, maxBytes: number): { most: number; room: number } {
  const { least, most } = measure(bytes),
    room = Math.min(maxBytes, MAX_HEAP - bytes.byteLength);
  if (least > room) throw tooLarge(maxBytes);
  return { most, room };
}

function decodeWith(decompress: Decoder['decompress'], bytes: Uint8Array, maxBytes: number): Uint8Array {
  const { most, room } = requireRoom(bytes, maxBytes);
  const source = new Uint8Array(UNSIZED_FRAME.length + bytes.byteLength);
  source.set(UNSIZED_FRAME);
  source.set(bytes, UNSIZED_FRAME.length);
  try {
    return decompress(source, { defaultHeapSize: Math.min(most, room) });
  } catch (error) {
    const { message } = error as Error,
      code = Number(/-(\d+)$/.exec(message)?.[1]);
    if (code === DESTINATION_TOO_SMALL && most > room) throw tooLarge(maxBytes);
    if (code === CHECKSUM_WRONG)
      throw new DecodeError('BAD_CHECKSUM', 'zstd: the content does not match its checksum');
    if (code === DICTIONARY_WRONG) throw new DecodeError('UNSUPPORTED', 'zstd: the frame needs a dictionary');
    if (code === WINDOW_TOO_LARGE)
      throw new DecodeError('UNSUPPORTED', 'zstd: the frame needs a window larger than 1 GB');
    throw new DecodeError(
      'BAD_BITSTREAM',
      `zstd: the data is broken (${Number.isNaN(code) ? message : `error ${code}`})`,
    );
  }
}

function decoder(): Promise<Decoder> {
  return (loaded ??= load().catch((cause: unknown) => {
    loaded = undefined;
    throw new DecodeError('UNSUPPORTED', 'zstd: the decoder could not be loaded', { cause });
  }));
}

async function load(): Promise<Decoder> {
  // With a limited address space (ulimit -v) this throws, whereas the package would wait forever.
  new WebAssembly.Memory({ initial: 1 });
  const decoder = await importPackage(() => import('@bokuweb/zstd-wasm'));
  await decoder.init();
  return decoder;
}

/**
 * Bounds the size of the content by the headers of the frames and blocks: the least that they promise, the
 * most that is possible.
 */
function measure(bytes: Uint8Array): { least: number; most: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let least = 0,
    most = 0,
    end = 0;
  /** Skips `count` bytes and returns the index of the first. */
  const pass = (count: number): number => {
    const at = end;
    if (count > bytes.byteLength - at)
      throw new DecodeError('TRUNCATED', 'zstd: the data ends inside a frame');
    end += count;
    return at;
  };
  do {
    const magic = view.getUint32(pass(4), true);
    if (magic >>> 4 === SKIPPABLE) {
      pass(view.getUint32(pass(4), true));
      continue;
    }
    if (magic !== MAGIC) throw new DecodeError('BAD_BITSTREAM', 'zstd: no frame begins where one should');
    const descriptor = bytes[pass(1)],
      singleSegment = (descriptor >> 5) & 1,
      sizeFlag = descriptor >> 6;
    pass(1 - singleSegment + [0, 1, 2, 4][descriptor & 3]); // the window, a dictionary's ID
    const sizeBytes = sizeFlag === 0 ? singleSegment : 1 << sizeFlag,
      sizeAt = pass(sizeBytes);
    let plain = 0,
      packed = 0;
    for (let last = false; !last;) {
      const at = pass(3),
        header = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16),
        type = (header >> 1) & 3,
        size = header >> 3;
      last = (header & 1) === 1;
      if (type === 2) packed += MAX_BLOCK;
      else plain += size;
      pass(type === 1 ? 1 : size);
    }
    pass(descriptor & 4); // the checksum: the value of its flag, 4, is its length
    const content = sizeBytes === 0 ? undefined : contentSize(view, sizeAt, sizeBytes);
    least += content ?? plain;
    most += Math.min(content ?? Infinity, plain + packed);
  } while (end < bytes.byteLength);
  return { least, most };
}

function contentSize(view: DataView, at: number, sizeBytes: number): number {
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

/**
 * Encodes bytes as one frame with its content size.
 * @throws DecodeError UNSUPPORTED if there is no memory to load the encoder.
 */
export async function encodeZstd(bytes: Uint8Array): Promise<Uint8Array> {
  const { compress } = await decoder();
  return compress(bytes, 3);
}
