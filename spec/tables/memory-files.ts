/** Files and sinks in memory, for specs of tables. */
import { TableError } from '../../lib/base/errors.ts';
import type { ByteSink } from '../../lib/tables/files/byte-streams.ts';
import type { FileReader } from '../../lib/tables/files/file-reader.ts';

/** Returns a file with these bytes. */
export function bytesFile(bytes: Uint8Array): FileReader {
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length))
      throw new TableError('BAD_FORMAT', 'the file is cut');
    return new Uint8Array(bytes.subarray(offset, offset + length));
  };
  return {
    path: 'memory',
    size: bytes.length,
    read,
    async *pieces(offset: number, length: number) {
      for (let at = offset; at < offset + length; at += 1000)
        yield read(at, Math.min(1000, offset + length - at));
    },
    close: async () => {},
  } as unknown as FileReader;
}

/** Returns a sink, and what was written to it. */
export function sinkTo(): { sink: ByteSink; written: () => Buffer } {
  const parts: Uint8Array[] = [];
  return {
    // The writer may use its memory again.
    sink: {
      write: async (bytes) => void parts.push(Uint8Array.from(bytes)),
      finish: async () => {},
      abandon: async () => undefined,
    },
    written: () => Buffer.concat(parts),
  };
}
