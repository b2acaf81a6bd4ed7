/**
 * Writes and reads a file of checked frames: eight bytes that name the format, then frames of `length |
 * CRC-32 | MessagePack`. Both numbers are uint32, little-endian. The file is written under a temporary name
 * and then renamed, so it exists completely or not at all.
 */
import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { Packr, Unpackr } from 'msgpackr';
import { SnapshotError } from '../../base/errors.ts';

/** The longest frame that is read, so that a damaged length cannot fill the memory. */
const MAX_FRAME = 4 * 1024 * 1024;
const FRAME_HEAD = 8;

const packr = new Packr({ useRecords: false }),
  unpackr = new Unpackr({ useRecords: false });

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Writes a file. After an error, the temporary file is removed. @throws SnapshotError IO. */
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
    throw new SnapshotError('IO', `${file} cannot be written: ${why(error)}`, { cause: error });
  }
}

/** Opens a file to read it. @throws SnapshotError NOT_FOUND, IO. */
export async function openFrames(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch (error) {
    throw new SnapshotError(
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'NOT_FOUND' : 'IO',
      `${file} cannot be read: ${why(error)}`,
      { cause: error },
    );
  }
}

/**
 * Reads the frames of a file from its start. One frame is in memory at a time.
 *
 * @throws SnapshotError DAMAGED at the first frame that is cut, too long, altered or not MessagePack; IO.
 */
export async function* readFrames(
  handle: FileHandle,
  file: string,
  magic: Uint8Array,
): AsyncGenerator<unknown> {
  const damaged = (what: string): SnapshotError => new SnapshotError('DAMAGED', `${file} ${what}`);
  if (Buffer.compare(await read(handle, file, 0, magic.length), magic) !== 0)
    throw damaged('is not a snapshot of a root cache');
  for (let position = magic.length; ;) {
    const head = await read(handle, file, position, FRAME_HEAD);
    if (head.length === 0) return;
    const length = head.length === FRAME_HEAD ? head.readUInt32LE(0) : 0;
    if (head.length < FRAME_HEAD || length > MAX_FRAME)
      throw damaged(`has no valid frame at byte ${position}`);
    const packed = await read(handle, file, position + FRAME_HEAD, length);
    if (packed.length < length) throw damaged(`ends in the frame at byte ${position}`);
    if (crc32(packed) !== head.readUInt32LE(4)) throw damaged(`was altered in the frame at byte ${position}`);
    let frame: unknown;
    try {
      frame = unpackr.unpack(packed);
    } catch (error) {
      throw damaged(`has invalid MessagePack in the frame at byte ${position}: ${why(error)}`);
    }
    yield frame;
    position += FRAME_HEAD + length;
  }
}

/** Reads up to `length` bytes; fewer at the end of the file. */
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
    throw new SnapshotError('IO', `${file} cannot be read: ${why(error)}`, { cause: error });
  }
}
