/**
 * Tables in gzip or Zstandard: decompressed according to their first bytes, compressed according to the
 * suffix of the output.
 */
import * as zlib from 'node:zlib';
import { DecodeError, TableError } from '../../base/errors.ts';
import { sniffBitstream } from '../../compression/decompress.ts';
import { decodeZstd, encodeZstd } from '../../compression/zstd.ts';
import { reasonNotText } from '../file-kinds.ts';
import { compressionOfFile } from '../formats.ts';
import type { ByteSink } from './byte-streams.ts';

/** Zstandard is decompressed in memory. It is also compressed in memory if Node has no stream for it. */
const MAX_ZSTD_BYTES = 2 ** 29;
const MAGIC_BYTES = 16;
const PIECE_BYTES = 2 ** 20;

/**
 * Yields the text of a table, decompressed if its first bytes say so.
 *
 * @param displayName The name of the table in messages. If its suffix names a compression, the content must
 *   have that compression.
 * @throws TableError BAD_FORMAT.
 */
export async function* decompressTable(
  source: AsyncIterable<Uint8Array>,
  displayName: string,
): AsyncGenerator<Uint8Array> {
  const parts = source[Symbol.asyncIterator]();
  try {
    let start: Uint8Array = new Uint8Array(0);
    while (start.length < MAGIC_BYTES) {
      const next = await parts.next();
      if (next.done) break;
      start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
    }
    const compression = sniffBitstream(start),
      named = compressionOfFile(displayName);
    if (named !== undefined && compression !== named)
      throw new TableError(
        'BAD_FORMAT',
        `${displayName} is not ${named}, although its name says so${start.length === 0 ? ': it is empty' : ''}`,
      );
    const other = reasonNotText(start, displayName);
    if (other !== undefined) throw new TableError('BAD_FORMAT', other);
    const all = (async function* () {
      yield start;
      for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
    })();
    yield* compression === undefined
      ? all
      : compression === 'gzip'
        ? decompressGzip(all, displayName)
        : decompressZstd(all, displayName);
  } finally {
    await parts.return?.();
  }
}

async function* decompressGzip(
  source: AsyncIterable<Uint8Array>,
  displayName: string,
): AsyncGenerator<Uint8Array> {
  const gunzip = zlib.createGunzip({ chunkSize: PIECE_BYTES });
  let bytesRead = 0;
  let rest: Buffer = Buffer.alloc(0);
  const feeding = (async () => {
    for await (const part of source) {
      bytesRead += part.length;
      rest = Buffer.from(part.buffer, part.byteOffset, part.length);
      if (!gunzip.write(part) && !gunzip.destroyed)
        await new Promise<void>((resolve) => {
          const proceed = (): void => {
            gunzip.off('drain', proceed).off('close', proceed);
            resolve();
          };
          gunzip.on('drain', proceed).on('close', proceed);
        });
      if (gunzip.destroyed) return;
    }
    gunzip.end();
  })();
  feeding.catch((error: unknown) => gunzip.destroy(error as Error));
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    throw decompressError(
      displayName,
      (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR'
        ? 'it ends too early'
        : (error as Error).message,
    );
  }
  await feeding;
  // Node ignores bytes after the end that do not begin like gzip. Zeros are usual padding; any other byte
  // would be a lost row.
  const unread = bytesRead - gunzip.bytesWritten;
  if (unread > 0 && rest.subarray(Math.max(0, rest.length - unread)).some((byte) => byte !== 0))
    throw decompressError(displayName, 'the data after its end is not gzip');
}

async function* decompressZstd(
  source: AsyncIterable<Uint8Array>,
  displayName: string,
): AsyncGenerator<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const tooLarge = (): TableError =>
    new TableError(
      'BAD_FORMAT',
      `${displayName} is too large to be decompressed in memory: zstd -dc ${displayName} | graphene-points … - --format csv`,
    );
  for await (const part of source) {
    parts.push(part);
    if ((length += part.length) > MAX_ZSTD_BYTES) throw tooLarge();
  }
  let text: Uint8Array;
  try {
    text = await decodeZstd(Buffer.concat(parts), MAX_ZSTD_BYTES);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw error.code === 'TOO_LARGE' ? tooLarge() : decompressError(displayName, error.message, error);
  }
  for (let at = 0; at < text.length; at += PIECE_BYTES) yield text.subarray(at, at + PIECE_BYTES);
}

const decompressError = (displayName: string, why: string, cause?: unknown): TableError =>
  new TableError(
    'BAD_FORMAT',
    `${displayName} cannot be decompressed: ${why}`,
    cause === undefined ? undefined : { cause },
  );

/** Wraps a sink so that its bytes are compressed, if the suffix of its file says so. */
export const compressSink = (sink: ByteSink, path: string): ByteSink => {
  const compression = compressionOfFile(path);
  return compression === undefined
    ? sink
    : compression === 'gzip'
      ? compressStream(sink, zlib.createGzip())
      : compressZstd(sink);
};

/**
 * Node has a Zstandard stream from 22.15 on. The output is one frame, because pandas stops after the first
 * frame.
 */
function compressZstd(sink: ByteSink): ByteSink {
  const { createZstdCompress } = zlib as { createZstdCompress?: () => zlib.Gzip };
  return createZstdCompress ? compressStream(sink, createZstdCompress()) : compressInMemory(sink);
}

function compressStream(sink: ByteSink, compressor: zlib.Gzip): ByteSink {
  let failed: unknown;
  const pumping = (async () => {
    for await (const part of compressor as AsyncIterable<Uint8Array>) await sink.write(part);
  })();
  pumping.catch((error: unknown) => {
    failed = error;
    compressor.destroy();
  });
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        const left = (): void => reject((failed as Error | undefined) ?? new Error('the packer is closed'));
        if (compressor.destroyed) return left();
        compressor.once('close', left);
        compressor.write(bytes, (error) => {
          compressor.off('close', left);
          if (error) left();
          else resolve();
        });
      }),
    async finish() {
      compressor.end();
      await pumping;
      await sink.finish();
    },
    async abandon(keep) {
      if (keep && !compressor.destroyed) {
        compressor.end();
        await pumping.catch(() => undefined);
      } else compressor.destroy();
      return sink.abandon(keep);
    },
  };
}

function compressInMemory(sink: ByteSink): ByteSink {
  const parts: Uint8Array[] = [];
  let length = 0;
  const flush = async (): Promise<void> => sink.write(await encodeZstd(Buffer.concat(parts.splice(0))));
  return {
    async write(bytes) {
      if ((length += bytes.length) > MAX_ZSTD_BYTES)
        throw new TableError(
          'UNREADABLE',
          'the table is too large to be compressed as .zst by this version of Node: write .gz, or use Node 22.15 or later',
        );
      parts.push(Uint8Array.from(bytes));
    },
    async finish() {
      await flush();
      await sink.finish();
    },
    async abandon(keep) {
      if (keep) await flush().catch(() => undefined);
      return sink.abandon(keep);
    },
  };
}
