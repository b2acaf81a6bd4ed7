/**
 * Decodes xz streams, which CloudVolume writes with `compress="xz"`. The decoder is xz-embedded as
 * WebAssembly, in xz-decompress. It verifies CRC-32 and CRC-64 checksums, but does not support SHA-256 or
 * dictionaries larger than 64 MiB.
 */
import { DecodeError } from '../base/errors.ts';
import { cooperativeRunner } from '../base/cooperative-work.ts';
import { importPackage } from '../http/import-package.ts';
import { joinPieces } from './memory.ts';

type XzReadableStream = typeof import('xz-decompress').XzReadableStream;

/** Values of `enum xz_ret` of xz-embedded, which the package puts into its messages. */
const ERRORS: Record<string, ['TRUNCATED' | 'BAD_BITSTREAM' | 'UNSUPPORTED', string]> = {
  3: ['UNSUPPORTED', 'there is no memory for its dictionary'],
  4: ['UNSUPPORTED', 'it needs a dictionary larger than 64 MiB'],
  5: ['BAD_BITSTREAM', 'the data does not begin like an xz stream'],
  6: ['UNSUPPORTED', 'it uses filters or a checksum that are not supported'],
  7: ['BAD_BITSTREAM', 'the data is broken'],
  8: ['TRUNCATED', 'the data ends inside the stream'],
};

/** Bytes of output after which other work gets a turn. */
const TURN_BYTES = 512 * 1024;

let loaded: Promise<XzReadableStream> | undefined;

/**
 * Decodes an xz stream.
 * @throws DecodeError TRUNCATED, BAD_BITSTREAM, TOO_LARGE or UNSUPPORTED (also if there is no memory to load
 *   the decoder).
 */
export async function decodeXz(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const Stream = await load();
  const reader = new Stream(streamOf(bytes)).getReader();
  const pieces: Uint8Array[] = [];
  let total = 0,
    turn = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw decodeError(error);
    });
    if (done) return joinPieces(pieces, total);
    total += value.byteLength;
    if (total > maxBytes) {
      await reader.cancel();
      throw new DecodeError('TOO_LARGE', `xz: more than the ${maxBytes} bytes expected`);
    }
    pieces.push(value.slice()); // the decoder writes the next piece into the same memory
    if ((turn += value.byteLength) < TURN_BYTES) continue;
    turn = 0;
    await cooperativeRunner.pause();
  }
}

const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });

/** Loads the decoder on first use, because few volumes need it. */
const load = (): Promise<XzReadableStream> =>
  (loaded ??= importPackage(() => import('xz-decompress')).then(
    (module) => module.default.XzReadableStream,
    (cause: unknown) => {
      loaded = undefined;
      throw new DecodeError('UNSUPPORTED', 'xz: the decoder could not be loaded', { cause });
    },
  ));

function decodeError(error: unknown): DecodeError {
  const [code, what] = ERRORS[/code (\d+)/.exec((error as Error).message)?.[1] ?? ''] ?? [
    'BAD_BITSTREAM',
    (error as Error).message,
  ];
  return new DecodeError(code, `xz: ${what}`);
}
