/** Memory of what was inflated: not much larger than its content, and given back at once when it is done with. */

/** Memory beyond the output that is not worth a copy. */
export const SLACK_BYTES = 64;

/** A view whose memory is not much larger than itself; a cache would keep all of it alive. */
export function trimMemory(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer.byteLength - byteLength > 1024 + byteLength / 8) return Uint8Array.from(bytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The pieces in one. A single piece is itself. */
export function joinPieces(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.byteLength;
  }
  return all;
}

/** What is posted to a closed port goes nowhere, and the memory that went with it is freed. */
const nowhere = (() => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
})();

/**
 * Gives up the memory of `bytes` and of every view of it; they are empty afterwards. The garbage collector would let many buffers pile up
 * first, and each new one costs more in fresh pages than zlib takes to fill it. Memory that cannot be given up stays as it is.
 */
export function releaseMemory(bytes: Uint8Array): void {
  try {
    nowhere.postMessage(undefined, [bytes.buffer as ArrayBuffer]);
  } catch {
    // a WebAssembly memory's, say: the collector's
  }
}
