/**
 * Reads the flat label format: count (u64), labels, components of each slice, then the index of each
 * component's label.
 * Source: crackle, README.md, "Flat Label Format".
 */
import { DecodeError } from '../../base/errors.ts';
import type { CrackleHeader, CrackleSections } from './header.ts';
import { checkCount, readComponentCounts, SectionReader } from './slice-labels.ts';
import type { SliceLabels } from './slice-labels.ts';
import { readUint, widthFor } from './read-uint.ts';

/** Reads the labels section. @throws DecodeError TRUNCATED, WRONG_SIZE or BAD_HEADER. */
export function readFlatLabels(
  view: DataView,
  { storedWidth, shape }: CrackleHeader,
  { labelsFrom, labelsTo }: CrackleSections,
): SliceLabels {
  const reader = new SectionReader(view, labelsFrom, labelsTo);
  const count = reader.uint(8);
  const table = reader.skip(count * storedWidth);
  const before = readComponentCounts(reader, shape);
  const keyWidth = widthFor(count);
  const keys = reader.skip(before[shape[2]] * keyWidth);
  reader.finish();

  return {
    ofSlice(z, slice) {
      checkCount(z, slice, before);
      const first = keys + before[z] * keyWidth;
      return (component) => {
        const key = readUint(view, first + component * keyWidth, keyWidth);
        if (key >= count)
          throw new DecodeError(
            'BAD_HEADER',
            `crackle: slice ${z} uses label ${key}, but there are ${count} labels`,
          );
        return table + key * storedWidth;
      };
    },
  };
}
