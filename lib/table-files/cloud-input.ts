/** The input of a table that is stored on a web server, or in a gs:// or s3:// bucket. */
import { pipeline } from 'node:stream/promises';
import { PassThrough, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { TableError } from '../base/errors.ts';
import { createHttpClient } from '../failures/http-client.ts';
import { redactUrl } from '../http/excerpt.ts';
import type { StorageOptions } from '../storage/bucket-options.ts';
import { readInPieces, type ObjectPieces, type PieceOptions } from '../storage/object-pieces.ts';
import { objectUrl, openObject, type StoredObjectPath } from '../storage/open-object.ts';
import { type OpenTableInput, streamInput } from '../tables/files/table-input.ts';
import { compressionOfFile } from '../tables/formats.ts';

/** How a table on a cloud path is read. */
export interface CloudOptions extends Pick<PieceOptions, 'pieceBytes'> {
  storage?: StorageOptions;
  /** The number of retries of each request. @default that of volumes */
  retries?: number;
}

/** Where a table is. */
export interface TablePath {
  /** The path of a file, or the URL without its user name and query: for messages, and for its suffix. */
  name: string;
  /** The URL of the object, the same for all spellings of its path. */
  url?: string;
  /** The stream that the table is read from. It also has `open`. */
  stream?: object;
  /** Opens a table that is not a file of this machine. `folder` is for its temporary file. */
  open?: (signal: AbortSignal, folder: string | undefined) => OpenTableInput;
}

/**
 * Reads the path of a table: a file, a file:// URL, whose path is not percent-decoded, or a cloud path.
 * Nothing is requested yet.
 *
 * @throws TableError BAD_TABLE_PATH for a glob on a cloud path; the errors of `openObject`.
 */
export function parseTablePath(path: string, options: CloudOptions = {}): TablePath {
  const [, scheme] = /^([a-z][a-z\d+.-]*):\/\//i.exec(path) ?? [];
  if (scheme === undefined) return { name: path };
  if (scheme.toLowerCase() === 'file') return { name: path.slice('file://'.length) };
  const name = redactUrl(path);
  if (isPattern(path))
    throw new TableError(
      'BAD_TABLE_PATH',
      `${name} is a pattern, which finds files of this machine only: name one table`,
    );
  const { pieceBytes, retries, storage } = options;
  const http = createHttpClient({ retries });
  const object = openObject(path, { ...storage, http });
  return {
    name,
    url: objectUrl(object),
    open(signal, folder) {
      const input = streamInput(name, () => bytesOf(object, name, { signal, pieceBytes }), signal, folder);
      return {
        ...input,
        async close() {
          http.close();
          await input.close();
        },
      };
    },
  };
}

/**
 * Whether a cloud path has a pattern for many objects. In the query of a web address, ? and * have no such
 * meaning.
 */
const isPattern = (path: string): boolean =>
  /^https?:/i.test(path) ? /^[^?]*\*/.test(path) : /[*?]/.test(path);

async function beginObject(
  { store, key }: StoredObjectPath,
  name: string,
  options: PieceOptions,
): Promise<ObjectPieces> {
  const pieces = await readInPieces(store, key, options);
  if (!pieces) throw new TableError('UNREADABLE', `${name} cannot be read: there is no such object`);
  return pieces;
}

/** Yields the bytes of a table without their content encoding. */
async function* bytesOf(
  object: StoredObjectPath,
  name: string,
  options: PieceOptions & { signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  try {
    const { contentEncoding, bytes } = await beginObject(object, name, options);
    yield* isReadAsStored(contentEncoding, name)
      ? bytes
      : undoEncoding(bytes, contentEncoding!, name, options.signal);
  } catch (error) {
    if (options.signal.aborted || error instanceof TableError) throw error;
    throw new TableError('UNREADABLE', `${name} cannot be read`, { cause: error });
  }
}

/**
 * Whether the reader of the table undoes the encoding. Some programs store a file `.gz` with the content
 * encoding gzip, although it is compressed only once.
 */
const isReadAsStored = (encoding: string | undefined, name: string): boolean =>
  encoding === undefined || encoding === 'zstd' || encoding === compressionOfFile(name);

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  br: createBrotliDecompress,
};

async function* undoEncoding(
  bytes: AsyncIterable<Uint8Array>,
  encoding: string,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (!Object.hasOwn(DECODERS, encoding))
    throw new TableError(
      'BAD_FORMAT',
      `${name} has the content encoding ${encoding}, which a table may not have`,
    );
  const decoded = new PassThrough({ highWaterMark: 2 ** 20 });
  const feeding = pipeline(bytes, DECODERS[encoding](), decoded, { signal });
  feeding.catch(() => undefined); // it destroys `decoded` with the same error
  yield* decoded as AsyncIterable<Uint8Array>;
  await feeding;
}
