/** Checks `--missing`, the text for a missing answer in CSV and TSV. */
import type { MissingText } from '../tables/text/answer-cells.ts';
import type { IdFormatName } from '../tables/formats.ts';
import { refuseOptions } from './format-options.ts';
import type { Report } from './report.ts';

/** Warns about `--missing 0`. @throws UsageError for a format that has null. */
export function checkMissingOption(
  missing: MissingText | undefined,
  format: IdFormatName,
  report: Report,
): void {
  refuseOptions(format, { missing });
  if (missing === '0')
    report.warn(
      '--missing 0: a row without an answer looks like background; only its status shows the difference',
    );
}
