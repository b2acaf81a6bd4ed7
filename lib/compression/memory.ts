/** Memory of decompressed content: joins pieces, trims excess memory, and frees memory at once. */

/** Excess memory that is not worth a copy. */
export const SLACK_BYTES = 64;

/**
 * Returns the same bytes in memory that is not much larger than they are, because a cache would keep all of
 * that memory alive.
 */
export function trimMemory(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if (buffer.byteLength - byteLength > 1024 + byteLength / 8) return Uint8Array.from(bytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Joins pieces into one array. A single piece is returned as it is. */
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

/**
 * A port whose other end is closed: a message that is posted to it is dropped, and the memory transferred
 * with it is freed.
 */
const closedPort = (() => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
})();

/**
 * Frees the memory of `bytes` and of every view of it at once; they are empty afterwards. The garbage
 * collector would let many buffers pile up first, and getting fresh pages for a new buffer takes longer than
 * zlib takes to fill it. Memory that cannot be freed is left alone.
 */
export function releaseMemory(bytes: Uint8Array): void {
  try {
    closedPort.postMessage(undefined, [bytes.buffer as ArrayBuffer]);
  } catch {
    // Some memory cannot be transferred, such as WebAssembly memory. It is left to the garbage collector.
  }
}
