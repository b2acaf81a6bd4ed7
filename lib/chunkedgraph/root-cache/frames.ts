/**
 * A file as a row of checked frames: eight bytes that say what it is, then frames of `length | CRC-32 | MessagePack`, both numbers uint32
 * little-endian. Written beside its place and renamed, so that it is there whole or not at all.
 */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { Packr, Unpackr } from 'msgpackr';
import { SnapshotError } from '../../base/errors.ts';

/** Longest frame that is read: nothing is taken into memory because a file says so. */
const MAX_FRAME = 4 * 1024 * 1024;
const FRAME_HEAD = 8;

const packr = new Packr({ useRecords: false }),
  unpackr = new Unpackr({ useRecords: false });

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** @throws SnapshotError IO. What was written so far is gone then. */
export async function writeFrames(file: string, magic: Uint8Array, frames: Iterable<unknown>): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.appendFile(magic);
      for (const frame of frames) {
        const packed = packr.pack(frame),
          head = Buffer.alloc(FRAME_HEAD);
        head.writeUInt32LE(packed.length, 0);
        head.writeUInt32LE(crc32(packed), 4);
        await handle.appendFile(head);
        await handle.appendFile(packed);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new SnapshotError('IO', `${file} could not be written: ${why(error)}`, { cause: error });
  }
}

/** @throws SnapshotError NOT_FOUND, IO. */
export async function openFrames(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw new SnapshotError(
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'NOT_FOUND' : 'IO',
      `${file} could not be read: ${why(error)}`,
      { cause: error },
    );
  }
}

/**
 * The frames of a file from its beginning, one in memory at a time.
 * @throws SnapshotError DAMAGED at the first that is cut, too long, altered or no MessagePack; IO.
 */
export async function* readFrames(
  handle: FileHandle,
  file: string,
  magic: Uint8Array,
): AsyncGenerator<unknown> {
  const damaged = (what: string): SnapshotError => new SnapshotError('DAMAGED', `${file} ${what}`);
  if (Buffer.compare(await read(handle, file, 0, magic.length), magic) !== 0)
    throw damaged('is no snapshot of a root cache');
  for (let position = magic.length; ;) {
    const head = await read(handle, file, position, FRAME_HEAD);
    if (head.length === 0) return;
    const length = head.length === FRAME_HEAD ? head.readUInt32LE(0) : 0;
    if (head.length < FRAME_HEAD || length > MAX_FRAME) throw damaged(`has no frame at byte ${position}`);
    const packed = await read(handle, file, position + FRAME_HEAD, length);
    if (packed.length < length) throw damaged(`ends in the frame at byte ${position}`);
    if (crc32(packed) !== head.readUInt32LE(4)) throw damaged(`was altered in the frame at byte ${position}`);
    let frame: unknown;
    try {
      frame = unpackr.unpack(packed);
    } catch (error) {
      throw damaged(`has no MessagePack in the frame at byte ${position}: ${why(error)}`);
    }
    yield frame;
    position += FRAME_HEAD + length;
  }
}

/** As many bytes as there are, up to `length`. */
async function read(handle: FileHandle, file: string, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  try {
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } catch (error) {
    throw new SnapshotError('IO', `${file} could not be read: ${why(error)}`, { cause: error });
  }
}
