/** `--missing`: what CSV and TSV hold where there is no answer. */
import type { MissingText } from '../tables/text/answer-cells.ts';
import type { IdFormatName } from '../tables/formats.ts';
import { refuseOptions } from './format-options.ts';
import type { Report } from './report.ts';

/** @throws UsageError for a format that has its own way to say that there is no value. */
export function checkMissingOption(
  missing: MissingText | undefined,
  format: IdFormatName,
  report: Report,
): void {
  refuseOptions(format, { missing });
  if (missing === '0')
    report.warn(
      '--missing 0: rows without an answer look like background; only their status tells them apart',
    );
}
