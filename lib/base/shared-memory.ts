/** Memory that all threads of the process share: what one thread has read, another can use without a copy. */

/** Whether bytes lie in memory that threads share. */
export const isShared = ({ buffer }: ArrayBufferView): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;

/** Returns the bytes in memory of this thread: a copy if they are in shared memory. */
export const toOwnMemory = (bytes: Uint8Array): Uint8Array =>
  isShared(bytes) ? new Uint8Array(bytes) : bytes;
