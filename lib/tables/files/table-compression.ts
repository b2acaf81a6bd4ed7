/** Tables in gzip or Zstandard: unpacked by how they begin, packed by the suffix of what is written. */
import * as zlib from 'node:zlib';
import { DecodeError, TableError } from '../../base/errors.ts';
import { sniffBitstream } from '../../compression/decompress.ts';
import { decodeZstd, encodeZstd } from '../../compression/zstd.ts';
import { reasonNotText } from '../file-kinds.ts';
import { compressionOfFile } from '../formats.ts';
import type { ByteSink } from './byte-streams.ts';

/** Zstandard is unpacked whole, and so is packed where Node has no stream for it. */
const MAX_ZSTD_BYTES = 2 ** 29;
const MAGIC_BYTES = 16;
const PIECE_BYTES = 2 ** 20;

/**
 * The text of a table, unpacked where it is packed.
 * @param called What messages call it; a suffix in it that the content does not keep to is an error.
 * @throws TableError BAD_FORMAT.
 */
export async function* decompressTable(
  source: AsyncIterable<Uint8Array>,
  called: string,
): AsyncGenerator<Uint8Array> {
  const parts = source[Symbol.asyncIterator]();
  try {
    let start: Uint8Array = new Uint8Array(0);
    while (start.length < MAGIC_BYTES) {
      const next = await parts.next();
      if (next.done) break;
      start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
    }
    const packing = sniffBitstream(start),
      named = compressionOfFile(called);
    if (named !== undefined && packing !== named)
      throw new TableError(
        'BAD_FORMAT',
        `${called} is not ${named}, though its name says so${start.length === 0 ? ': it is empty' : ''}`,
      );
    const other = reasonNotText(start, called);
    if (other !== undefined) throw new TableError('BAD_FORMAT', other);
    const all = (async function* () {
      yield start;
      for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
    })();
    yield* packing === undefined ? all : packing === 'gzip' ? gunzipped(all, called) : unzstd(all, called);
  } finally {
    await parts.return?.();
  }
}

async function* gunzipped(source: AsyncIterable<Uint8Array>, called: string): AsyncGenerator<Uint8Array> {
  const gunzip = zlib.createGunzip({ chunkSize: PIECE_BYTES });
  let given = 0;
  let rest: Buffer = Buffer.alloc(0);
  const feeding = (async () => {
    for await (const part of source) {
      given += part.length;
      rest = Buffer.from(part.buffer, part.byteOffset, part.length);
      if (!gunzip.write(part) && !gunzip.destroyed)
        await new Promise((resolve) => gunzip.once('drain', resolve).once('close', resolve));
      if (gunzip.destroyed) return;
    }
    gunzip.end();
  })();
  feeding.catch((error: unknown) => gunzip.destroy(error as Error));
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_') !== true) throw error;
    throw broken(
      called,
      (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR'
        ? 'it ends too early'
        : (error as Error).message,
    );
  }
  await feeding;
  // Node takes what does not begin like gzip for bytes that do not matter; padding of zeros is usual, and all else would be rows that are lost.
  const unread = given - gunzip.bytesWritten;
  if (unread > 0 && rest.subarray(Math.max(0, rest.length - unread)).some((byte) => byte !== 0))
    throw broken(called, 'what follows its end is not gzip');
}

async function* unzstd(source: AsyncIterable<Uint8Array>, called: string): AsyncGenerator<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const tooLarge = (): TableError =>
    new TableError(
      'BAD_FORMAT',
      `${called} is too large to be unpacked in memory: zstd -dc ${called} | graphene-points … - --format csv`,
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
    throw error.code === 'TOO_LARGE' ? tooLarge() : broken(called, error.message, error);
  }
  for (let at = 0; at < text.length; at += PIECE_BYTES) yield text.subarray(at, at + PIECE_BYTES);
}

const broken = (called: string, why: string, cause?: unknown): TableError =>
  new TableError(
    'BAD_FORMAT',
    `${called} cannot be unpacked: ${why}`,
    cause === undefined ? undefined : { cause },
  );

/** Packs what goes to a sink, by the suffix of its file. */
export const compressSink = (sink: ByteSink, path: string): ByteSink => {
  const packing = compressionOfFile(path);
  return packing === undefined
    ? sink
    : packing === 'gzip'
      ? streamed(sink, zlib.createGzip())
      : zstdSink(sink);
};

/** Where Node has it (22.15 on), as a stream: one frame, as those readers want it that stop at the end of the first (pandas). */
function zstdSink(sink: ByteSink): ByteSink {
  const { createZstdCompress } = zlib as { createZstdCompress?: () => zlib.Gzip };
  return createZstdCompress ? streamed(sink, createZstdCompress()) : whole(sink);
}

function streamed(sink: ByteSink, packer: zlib.Gzip): ByteSink {
  let failed: unknown;
  const pumping = (async () => {
    for await (const part of packer as AsyncIterable<Uint8Array>) await sink.write(part);
  })();
  pumping.catch((error: unknown) => {
    failed = error;
    packer.destroy();
  });
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        const left = (): void => reject((failed as Error | undefined) ?? new Error('the packer is closed'));
        if (packer.destroyed) return left();
        packer.once('close', left);
        packer.write(bytes, (error) => {
          packer.off('close', left);
          if (error) left();
          else resolve();
        });
      }),
    async finish() {
      packer.end();
      await pumping;
      await sink.finish();
    },
    async abandon(keep) {
      if (keep && !packer.destroyed) {
        packer.end();
        await pumping.catch(() => undefined);
      } else packer.destroy();
      return sink.abandon(keep);
    },
  };
}

function whole(sink: ByteSink): ByteSink {
  const parts: Uint8Array[] = [];
  let length = 0;
  const flush = async (): Promise<void> => sink.write(await encodeZstd(Buffer.concat(parts.splice(0))));
  return {
    async write(bytes) {
      if ((length += bytes.length) > MAX_ZSTD_BYTES)
        throw new TableError(
          'UNREADABLE',
          'the table is too large to be packed as .zst by this version of Node: write .gz, or use Node 22.15 or later',
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
