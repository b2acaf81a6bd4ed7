/** The forms in which the disk cache keeps chunks. */
import { toOwnMemory } from '../base/shared-memory.ts';
import type { Codec } from '../codecs/codec.ts';
import { rowRunsCodec, RowRunsEncoder } from '../codecs/row-runs.ts';
import type { ChunkContent, KeptChunk, StoredChunk } from './chunk-source.ts';

/**
 * The forms: the bytes of the source without compression; row runs; or, after this prefix, the bytes as
 * stored with their content encoding.
 */
export const INFLATED = 'inflated';
const ROW_RUNS = 'row-runs',
  STORED = 'stored ';

/**
 * A chunk that shrinks by more than this when compressed is kept as it was stored: writing the rest takes
 * longer than inflating.
 */
const MOST_GROWTH = 8;
/** Smaller chunks are always kept inflated. */
const SMALL_BYTES = 65_536;

/** The bytes of an entry, and their form. */
export interface DiskForm {
  bytes: Uint8Array;
  form: string;
}

/** Returns a form of a chunk that is quick to write and to read again. */
export function chooseForm(
  { bytes, codec }: KeptChunk,
  stored: Pick<StoredChunk, 'bytes' | 'contentEncoding' | 'encoding'>,
): DiskForm {
  if (codec) return { bytes, form: ROW_RUNS };
  const most = stored.encoding === 'raw' ? stored.bytes.byteLength : MOST_GROWTH * stored.bytes.byteLength;
  if (bytes.byteLength <= Math.max(SMALL_BYTES, most)) return { bytes, form: INFLATED };
  return { bytes: toOwnMemory(stored.bytes), form: STORED + (stored.contentEncoding ?? '') };
}

/** Whether row runs may be the best form of a chunk: it is not compressed, and has labels. */
export const mayKeepRuns = ({ encoding, layout, exactBytes }: ChunkContent, storedBytes: number): boolean =>
  encoding === 'raw' &&
  layout !== undefined &&
  rowRunsCodec.dataTypes.includes(layout.dataType) &&
  storedBytes >= exactBytes!;

/**
 * Whether chunks of a codec are mostly kept so that single voxels can be read at once: a thread would take longer to
 * receive the work than to do it.
 */
export const isQuickToRead = (codec: Codec): boolean =>
  codec.isPointwise === true && codec.exactBytes === undefined;

/** As {@link chooseForm}, for a whole inflated chunk. */
export function makeForm(
  bytes: Uint8Array,
  stored: Pick<StoredChunk, 'bytes' | 'contentEncoding'>,
  content: ChunkContent,
): DiskForm {
  let runs: Uint8Array | undefined;
  if (mayKeepRuns(content, stored.bytes.byteLength)) {
    const encoder = new RowRunsEncoder(content.layout!);
    encoder.add(bytes);
    runs = encoder.finish();
  }
  return chooseForm(runs ? { bytes: runs, codec: rowRunsCodec } : { bytes }, {
    ...stored,
    encoding: content.encoding,
  });
}

/** Returns how the bytes of an entry are decoded; undefined if its form is not known. */
export function encodingOf(form = ''): { contentEncoding: string | undefined; codec?: Codec } | undefined {
  if (form === INFLATED) return { contentEncoding: undefined };
  if (form === ROW_RUNS) return { contentEncoding: undefined, codec: rowRunsCodec };
  return form.startsWith(STORED) ? { contentEncoding: form.slice(STORED.length) || undefined } : undefined;
}
