/** Where the chunks of one scale come from. */
import type { Meter } from '../storage/store.ts';

export interface ChunkSource {
  /** Names the scale among all that share a cache. */
  readonly id: string;
  /** Where a cell's chunk is stored, for messages and as a key: no credentials. */
  urlOf(cell: number): string;
  /**
   * The chunk's bytes with all content encodings undone, or undefined when it is not stored.
   * @throws RequestError, DecodeError, or `signal.reason`.
   */
  read(cell: number, options: { signal: AbortSignal; meter: Meter }): Promise<Uint8Array | undefined>;
}
