/**
 * The output of a table in a gs:// or s3:// bucket. It is written to a temporary file, and uploaded when it is
 * complete.
 */
import { createHash } from 'node:crypto';
import { RequestError, TableError } from '../base/errors.ts';
import { createHttpClient } from '../failures/http-client.ts';
import { redactUrl } from '../http/excerpt.ts';
import { HttpStore } from '../storage/http-store.ts';
import { objectUrl, openObject } from '../storage/open-object.ts';
import type { ClaimedObject, UploadOptions } from '../storage/uploads/object-writer.ts';
import { requireSpace, TemporaryFile } from '../spill/temporary-file.ts';
import type { ByteSink } from '../tables/files/byte-streams.ts';
import type { OutputFile } from '../tables/files/output-file.ts';
import { compressSink } from '../tables/files/table-compression.ts';
import type { FormatName } from '../tables/formats.ts';
import type { CloudOptions } from './cloud-input.ts';
import { contentTypeOf } from './content-type.ts';
import { refusePattern } from './output-path.ts';

/** Options of `openCloudOutput`. */
export interface CloudOutputOptions
  extends CloudOptions, Pick<UploadOptions, 'signal' | 'warn' | 'partBytes'> {
  /** The option that named the output, for messages. */
  option: string;
  /** The format of the output, if its suffix does not tell. */
  format?: FormatName;
  env?: NodeJS.ProcessEnv;
}

/** An output on a cloud path. */
export interface CloudOutput {
  /** The URL of the object, the same for all spellings of its path. */
  url: string;
  /**
   * Checks that the object can be written, and notes its version: the upload replaces no other.
   * @param folder The folder of the temporary file.
   * @throws TableError UNREADABLE.
   */
  claim(folder: string): Promise<OutputFile>;
}

/**
 * Reads the path of an output. Nothing is requested yet.
 * @throws TableError BAD_TABLE_PATH if nothing can be written there; the errors of `openObject`.
 */
export function openCloudOutput(path: string, options: CloudOutputOptions): CloudOutput {
  const { option, storage, retries, signal, warn, partBytes, format } = options,
    name = redactUrl(path),
    displayName = `${option} ${name}`;
  refusePattern(option, path);
  const http = createHttpClient({ retries });
  const object = openObject(path, { ...storage, http, access: 'write' }),
    writer = object.store instanceof HttpStore ? object.store.writer : undefined;
  if (!writer)
    throw new TableError(
      'BAD_TABLE_PATH',
      `${displayName} is a URL that is not written to: name a file, gs://BUCKET/PATH or s3://BUCKET/PATH`,
    );
  const { key } = object;
  const failed = (error: unknown): unknown => {
    if (signal?.aborted || error instanceof TableError) return error;
    const isConflict = error instanceof RequestError && (error.status === 409 || error.status === 412);
    return new TableError(
      isConflict ? 'IN_USE' : 'UNREADABLE',
      `${displayName} ${isConflict ? 'was written by another program meanwhile' : 'cannot be written'}`,
      { cause: error },
    );
  };
  const withName = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw failed(error);
    }
  };
  return {
    url: objectUrl(object),
    async claim(folder) {
      const claimed = await withName(writer.claim(key, { signal, warn, retries, partBytes })).catch(
        (error: unknown) => {
          http.close();
          throw error;
        },
      );
      return {
        release: () => http.close(),
        async open() {
          await requireSpace(folder, CHECKED_BYTES);
          const file = await TemporaryFile.create(folder);
          const contentType = contentTypeOf(name, format);
          return compressSink(
            createUploadSink(file, folder, { claimed, contentType, withName, close: () => http.close() }),
            name,
          );
        },
      };
    },
  };
}

/** The free space is checked each time so much has been written. */
const CHECKED_BYTES = 2 ** 28;

interface UploadSinkOptions {
  claimed: ClaimedObject;
  contentType: string;
  withName: <T>(step: Promise<T>) => Promise<T>;
  close: () => void;
}

/** Makes a sink that writes a temporary file, and uploads it at the end. */
function createUploadSink(
  file: TemporaryFile,
  folder: string,
  { claimed, contentType, withName, close }: UploadSinkOptions,
): ByteSink {
  const md5 = createHash('md5');
  let size = 0,
    checked = CHECKED_BYTES,
    ended = false;
  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    close();
    await file.close();
  };
  return {
    async write(bytes) {
      md5.update(bytes);
      await file.write(bytes, size);
      size += bytes.length;
      if (size < checked) return;
      checked = size + CHECKED_BYTES;
      await requireSpace(folder, CHECKED_BYTES);
    },
    async finish() {
      const read = (bytes: Uint8Array, offset: number): Promise<void> => file.read(bytes, offset);
      await withName(claimed.upload({ size, contentType, md5: md5.digest(), read }));
      await end();
    },
    // The rows so far are not kept: an object is there whole, or not at all.
    async abandon() {
      await end();
      return undefined;
    },
  };
}
