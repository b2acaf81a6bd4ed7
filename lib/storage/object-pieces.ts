/** Reads a whole object of any size in order, in pieces that all belong to one version of it. */
import { onAbort } from '../base/abort.ts';
import { RequestError } from '../base/errors.ts';
import type { Store, StoredObject } from './store.ts';
import { isSameVersion } from './validator.ts';

/** Options of `readInPieces`. */
export interface PieceOptions {
  signal?: AbortSignal;
  /** The bytes of a piece. @default 8 MiB */
  pieceBytes?: number;
  /** The number of pieces that are read ahead. @default 3 */
  ahead?: number;
  /** The most bytes of an object that must come in one reply. @default 256 MiB */
  wholeBytes?: number;
}

/** An object whose bytes are read in order. */
export interface ObjectPieces {
  /** How the bytes are compressed; see `StoredObject.contentEncoding`. */
  contentEncoding: string | undefined;
  /** Yields all bytes. @throws RequestError, also if the object changes meanwhile; `signal.reason`. */
  bytes: AsyncGenerator<Uint8Array>;
}

/**
 * Begins to read an object. Each piece is a request with the retries of the store. An object comes in one
 * reply if the server ignores ranges, or if it does not tell the size or the version of the object.
 *
 * @returns undefined if there is no object.
 * @throws RequestError; `signal.reason`.
 */
export async function readInPieces(
  store: Store,
  key: string,
  { signal, pieceBytes = 2 ** 23, ahead = 3, wholeBytes = 2 ** 28 }: PieceOptions = {},
): Promise<ObjectPieces | undefined> {
  const whole = (): Promise<StoredObject | undefined> => store.read(key, { signal, maxBytes: wholeBytes });
  let first: StoredObject | undefined;
  try {
    first = await store.read(key, { range: { start: 0, end: pieceBytes }, signal, maxBytes: wholeBytes });
  } catch (error) {
    if (!(error instanceof RequestError && error.code === 'BAD_RESPONSE' && error.status === 416))
      throw error;
    first = await whole(); // the object is empty
  }
  if (!first) return undefined;
  const { range, totalBytes, validator, bytes } = first;
  const isComplete = range === undefined || totalBytes === bytes.length;
  if (!isComplete && (totalBytes === undefined || validator === undefined)) {
    const all = await whole();
    return all && { contentEncoding: all.contentEncoding, bytes: once(all.bytes) };
  }
  if (isComplete) return { contentEncoding: first.contentEncoding, bytes: once(bytes) };
  return { contentEncoding: first.contentEncoding, bytes: readRest(first, totalBytes!) };

  async function* readRest(begun: StoredObject, total: number): AsyncGenerator<Uint8Array> {
    const ending = new AbortController(),
      release = signal && onAbort(signal, () => ending.abort(signal.reason)),
      bound = ending.signal;
    const reading: Promise<Uint8Array>[] = [];
    let next = begun.bytes.length;
    const readAhead = (): void => {
      for (; reading.length < ahead && next < total; next += pieceBytes) {
        const piece = readPiece(begun, next, Math.min(next + pieceBytes, total), total, bound);
        piece.catch(() => undefined); // awaited below, unless the reader stops before
        reading.push(piece);
      }
    };
    try {
      readAhead();
      yield begun.bytes;
      while (reading.length > 0) {
        const piece = await reading.shift()!;
        readAhead();
        yield piece;
      }
    } finally {
      release?.();
      ending.abort();
    }
  }

  async function readPiece(
    begun: StoredObject,
    start: number,
    end: number,
    total: number,
    bound: AbortSignal,
  ): Promise<Uint8Array> {
    const piece = await store.read(key, { range: { start, end }, signal: bound });
    const isSame =
      piece?.range !== undefined &&
      piece.totalBytes === total &&
      piece.bytes.length === end - start &&
      piece.contentEncoding === begun.contentEncoding &&
      isSameVersion(piece.validator, begun.validator);
    if (!isSame)
      throw new RequestError(
        'BAD_RESPONSE',
        `${store.url}/${key} has changed while it was read: run the command again`,
        `${store.url}/${key}`,
      );
    return piece.bytes;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
