/** How the command line calls the options of the SDK: by their flags. */
import type { NameOption } from '../base/option-names.ts';

/**
 * Calls options by their flags: `idType` is `--id-type`, and `sink` is `--out`.
 * @param source What names the tables that are read.
 */
export const flagNames =
  (source: string): NameOption =>
  (name) =>
    name === 'source'
      ? source
      : name === 'sink'
        ? '--out'
        : `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
