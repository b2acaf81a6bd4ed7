/** Refuses options that do not apply to the format of a table. */
import { type FormatOption, formatsWithOption, type IdFormatName } from '../tables/formats.ts';
import { UsageError } from './io.ts';

/** @throws UsageError for the first option that is set but does not apply to the format. */
export function refuseOptions(
  format: IdFormatName,
  given: Partial<Record<FormatOption, string | undefined>>,
): void {
  for (const option of Object.keys(given) as FormatOption[]) {
    const others = formatsWithOption(option, format);
    if (given[option] !== undefined && others !== undefined)
      throw new UsageError(
        `--${option} is for ${others}${option === 'missing' ? ': in JSON Lines a missing answer is null' : ''}`,
      );
  }
}
