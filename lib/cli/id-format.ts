/** What kind of table holds IDs: by how it begins, or else by its suffix. */
import { formatOfFile, type FormatName, type IdFormatName } from '../jobs/format.ts';

/** A list has no header: its first line is an ID, well or badly written, whatever the file is called. */
const NUMBER = /^"?[+-]?[\d.]+(?:e[+-]?\d+)?"?\s*$/i;

/**
 * @param given What the user said.
 * @returns The format, and the source with nothing taken from it.
 */
export async function idFormat(source: AsyncIterable<Uint8Array>, path: string, given?: FormatName): Promise<{ format: IdFormatName; source: AsyncIterable<Uint8Array> }> {
  const parts = source[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  let text = '';
  while (!text.trimStart().includes('\n') && text.length < 65_536) {
    const next = await parts.next();
    if (next.done) break;
    seen.push(next.value);
    text += Buffer.from(next.value).toString('latin1');
  }
  const [first = ''] = text.replace(/^\u00ef\u00bb\u00bf/, '').trim().split('\n');
  const byLooks = first === '' ? 'list' : first.startsWith('{') ? 'jsonl' : first.includes('\t') ? 'tsv' : 'csv';
  const format = given ?? (NUMBER.test(first) ? 'list' : (formatOfFile(path) ?? byLooks));
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
