/** The media types of tables. Sources: the IANA registry of media types; for JSON Lines, jsonlines.org. */
import { compressionOfFile, formatOfFile, type FormatName } from '../tables/formats.ts';

const OF_FORMAT: Readonly<Record<FormatName, string>> = {
  csv: 'text/csv; charset=utf-8',
  tsv: 'text/tab-separated-values; charset=utf-8',
  jsonl: 'application/jsonl',
  parquet: 'application/vnd.apache.parquet',
  arrow: 'application/vnd.apache.arrow.file',
  npy: 'application/octet-stream', // none is registered
  npz: 'application/zip',
};
const OF_COMPRESSION = { gzip: 'application/gzip', zstd: 'application/zstd' } as const;

/**
 * Returns the media type of a table. A compressed file has the type of its compression, and no content
 * encoding: otherwise clients would decompress it and keep the suffix.
 *
 * @param format The format, if the suffix does not tell.
 */
export function contentTypeOf(name: string, format?: FormatName): string {
  const compression = compressionOfFile(name);
  if (compression) return OF_COMPRESSION[compression];
  if (/\.json$/i.test(name)) return 'application/json';
  if (/\.html?$/i.test(name)) return 'text/html; charset=utf-8';
  if (/\.arrows$/i.test(name)) return 'application/vnd.apache.arrow.stream';
  const known = formatOfFile(name) ?? format;
  return known === undefined ? 'application/octet-stream' : OF_FORMAT[known];
}
