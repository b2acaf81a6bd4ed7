/** What kind of table holds IDs: by how it begins, or else by its suffix. */
import { reasonNotReadable } from '../tables/file-kinds.ts';
import { formatOfFile, type FormatName, type IdFormatName } from '../tables/formats.ts';
import { detectFormat, canDetectFormat } from '../tables/detect-format.ts';
import { refuseOptions } from './format-options.ts';
import { UsageError } from './io.ts';

/** What the user said of the format. */
export interface FormatFlags {
  format?: FormatName;
  delimiter?: string;
}

/**
 * @returns The format, and the source with nothing taken from it.
 */
export async function detectIdFormat(
  source: AsyncIterable<Uint8Array>,
  path: string,
  { format: given, delimiter }: FormatFlags = {},
): Promise<{ format: IdFormatName; source: AsyncIterable<Uint8Array> }> {
  const unread = given === undefined ? reasonNotReadable(path) : undefined;
  if (unread !== undefined) throw new UsageError(unread);
  const parts = source[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let text = '';
  while (!canDetectFormat(text) && text.length < 65_536) {
    const next = await parts.next();
    if (next.done) break;
    seen.push(next.value);
    text += Buffer.from(next.value).toString('latin1');
  }
  const format = detectFormat(text, { given, suffix: formatOfFile(path) });
  refuseOptions(format, { delimiter });
  return {
    format,
    source: (async function* () {
      try {
        yield* seen;
        for (let next = await parts.next(); !next.done; next = await parts.next()) yield next.value;
      } finally {
        await parts.return?.();
      }
    })(),
  };
}
