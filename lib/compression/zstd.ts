/**
 * Zstandard frames to bytes by the reference decoder, as WebAssembly in @bokuweb/zstd-wasm: no dictionaries. What that package does not
 * check is checked here before it is called: that the frames are whole, and that what their headers promise has room. Source: RFC 8878.
 *
 * Not by node:zlib: Node 20 has no zstd, and 22.23 and 24.21 give the first frame alone (nothing, when that is a skippable one) as if it
 * were all. Not by zstddec 0.3.4: broken data give an empty result there, and its streaming of them never ends.
 */
import { DecodeError } from '../base/errors.ts';
import { importPackage } from '../http/import-package.ts';

const MAGIC = 0xfd2fb528;
/** Without its last 4 bits, which are the user's. */
const SKIPPABLE = 0x184d2a5;
const MAX_BLOCK = 128 * 1024;
/** The package sizes its output by the first frame. An empty one that names no size makes it ask us instead. */
const UNSIZED = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38, 0x01, 0x00, 0x00);
/** Input and output; WebAssembly's memory ends at twice that, and nothing would look whether it has. */
const MAX_HEAP = 2 ** 30;

/** ZSTD_ErrorCode, as the package puts it into its message. Source: zstd_errors.h. */
const WINDOW_TOO_LARGE = 16,
  CHECKSUM_WRONG = 22,
  DICTIONARY_WRONG = 32,
  DESTINATION_TOO_SMALL = 70;

type Decoder = typeof import('@bokuweb/zstd-wasm');
declare const WebAssembly: { Memory: new (options: { initial: number }) => unknown };

let loaded: Promise<Decoder> | undefined;

/**
 * All frames of `bytes`, one after the other. The decoder is loaded with the first call and keeps the memory of its largest one.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, BAD_CHECKSUM, TOO_LARGE, UNSUPPORTED (a dictionary, a window beyond 1 GB, no memory to load the decoder)
 */
export async function decodeZstd(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const { least, most } = measure(bytes);
  const room = Math.min(maxBytes, MAX_HEAP - bytes.byteLength);
  const tooLarge = (): DecodeError =>
    new DecodeError('TOO_LARGE', `zstd: more than the ${maxBytes} bytes expected`);
  if (least > room) throw tooLarge();
  const { decompress } = await decoder();
  const source = new Uint8Array(UNSIZED.length + bytes.byteLength);
  source.set(UNSIZED);
  source.set(bytes, UNSIZED.length);
  try {
    return decompress(source, { defaultHeapSize: Math.min(most, room) });
  } catch (error) {
    const { message } = error as Error,
      code = Number(/-(\d+)$/.exec(message)?.[1]);
    if (code === DESTINATION_TOO_SMALL && most > room) throw tooLarge();
    if (code === CHECKSUM_WRONG)
      throw new DecodeError('BAD_CHECKSUM', 'zstd: the content does not match its checksum');
    if (code === DICTIONARY_WRONG) throw new DecodeError('UNSUPPORTED', 'zstd: the frame needs a dictionary');
    if (code === WINDOW_TOO_LARGE)
      throw new DecodeError('UNSUPPORTED', 'zstd: the frame needs a window beyond 1 GB');
    throw new DecodeError(
      'BAD_BITSTREAM',
      `zstd: the data are broken (${Number.isNaN(code) ? message : `error ${code}`})`,
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
  // Where the address space is limited (ulimit -v) this throws, while the package would never answer.
  new WebAssembly.Memory({ initial: 1 });
  const decoder = await importPackage(() => import('@bokuweb/zstd-wasm'));
  await decoder.init();
  return decoder;
}

/** How many bytes the frames hold, by their headers and those of their blocks: the least that is promised, the most that is possible. */
function measure(bytes: Uint8Array): { least: number; most: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let least = 0,
    most = 0,
    end = 0;
  /** Goes past `count` bytes and gives the index of the first. */
  const pass = (count: number): number => {
    const at = end;
    if (count > bytes.byteLength - at)
      throw new DecodeError('TRUNCATED', 'zstd: the data end inside a frame');
    end += count;
    return at;
  };
  do {
    const magic = view.getUint32(pass(4), true);
    if (magic >>> 4 === SKIPPABLE) {
      pass(view.getUint32(pass(4), true));
      continue;
    }
    if (magic !== MAGIC) throw new DecodeError('BAD_BITSTREAM', 'zstd: no frame where one should begin');
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
    pass(descriptor & 4); // the checksum: its flag has the value of its length
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

/** One frame that says its size. @throws DecodeError UNSUPPORTED (no memory to load the encoder). */
export async function encodeZstd(bytes: Uint8Array): Promise<Uint8Array> {
  const { compress } = await decoder();
  return compress(bytes, 3);
}
