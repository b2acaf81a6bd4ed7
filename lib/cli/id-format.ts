/** Detects the format of a table of IDs from its first lines, its suffix and the flags. */
import { TableError } from '../base/errors.ts';
import { reasonNotReadable } from '../tables/file-kinds.ts';
import { decompressTable } from '../tables/files/table-compression.ts';
import { isTableInput, type TableInput, type TableInputPart } from '../tables/files/table-input.ts';
import { formatOfFile, type FormatName, type IdFormatName } from '../tables/formats.ts';
import { isColumnar } from '../tables/open-table.ts';
import { detectFormat, canDetectFormat } from '../tables/detect-format.ts';
import { refuseOptions } from '../lookup-table/format-options.ts';
import { flagNames } from './flag-names.ts';
import { UsageError } from './io.ts';

/** The flags for the format. */
export interface FormatFlags {
  format?: FormatName;
  delimiter?: string;
}

/**
 * Reads the start of a table and detects its format.
 *
 * @returns The format, and a source that still yields the text of the whole table.
 */
export async function detectIdFormat(
  input: AsyncIterable<Uint8Array> | TableInput,
  path: string,
  { format: namedFormat, delimiter }: FormatFlags = {},
): Promise<{ format: IdFormatName; source: AsyncIterable<Uint8Array> | TableInput }> {
  const reason = namedFormat === undefined ? reasonNotReadable(path) : undefined;
  if (reason !== undefined) throw new UsageError(reason);
  const named = namedFormat ?? formatOfFile(path);
  if (named !== undefined && isColumnar(named)) {
    refuseOptions(named, { delimiter }, flagNames('--ids'));
    return { format: named, source: input };
  }
  if (isTableInput(input) && input.parts)
    return detectFormats(input, input.parts, { format: namedFormat, delimiter });
  const whole = isTableInput(input) ? decompressTable(input.bytes(), input.name) : input;
  const parts = whole[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let text = '';
  while (!canDetectFormat(text) && text.length < 65_536) {
    const next = await parts.next();
    if (next.done) break;
    seen.push(next.value);
    text += Buffer.from(next.value).toString('latin1');
  }
  const format = detectFormat(text, { given: namedFormat, suffix: formatOfFile(path) });
  refuseOptions(format, { delimiter }, flagNames('--ids'));
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

/** Detects the format of several files, which must be the same. */
async function detectFormats(
  source: TableInput,
  parts: readonly TableInputPart[],
  flags: FormatFlags,
): Promise<{ format: IdFormatName; source: TableInput }> {
  let first: { name: string; format: IdFormatName } | undefined;
  for (const { name, peek } of parts) {
    const { format, source: start } = await detectIdFormat(decompressTable(peek(), name), name, flags);
    // eslint-disable-next-line @typescript-eslint/no-unused-vars
    for await (const _ of start as AsyncIterable<Uint8Array>) break; // closes the file
    first ??= { name, format };
    if (format !== first.format)
      throw new TableError(
        'BAD_FORMAT',
        `${name} is read as ${format}, and ${first.name} as ${first.format}: files of one table need the same format`,
      );
  }
  return { format: first!.format, source };
}
