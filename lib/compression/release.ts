/** Megabytes that are done with, given back at once. */
import { MessageChannel } from 'node:worker_threads';

/** What is posted to a closed port goes nowhere, and the memory that went with it is freed. */
const nowhere = ((): MessageChannel['port1'] => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
})();

/**
 * Gives up the memory of `bytes` and of every view of it; they are empty afterwards. The garbage collector would let many buffers pile up
 * first, and each new one costs more in fresh pages than zlib takes to fill it. Memory that cannot be given up stays as it is.
 */
export function release(bytes: Uint8Array): void {
  try {
    nowhere.postMessage(undefined, [bytes.buffer as ArrayBuffer]);
  } catch {
    // a WebAssembly memory's, say: the collector's
  }
}
