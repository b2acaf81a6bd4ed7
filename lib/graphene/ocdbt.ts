/** Graphs whose supervoxels can split, which this version does not read as they are. */
import { InfoError } from '../base/errors.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';

/** What can be done about them. */
export const OCDBT_CHOICES = ['ignore'] as const;
export type OcdbtChoice = (typeof OCDBT_CHOICES)[number];

/** @throws InfoError UNSUPPORTED unless the user wants it opened all the same: then `warn` is told. */
export function checkOcdbt(
  { ocdbt }: GraphInfo,
  choice: OcdbtChoice | undefined,
  url: string,
  warn: (message: string) => void,
): void {
  if (!ocdbt) return;
  const what = `info at ${url} has ocdbt_seg: supervoxels of this graph can split, and its watershed as it is now is kept in OCDBT, which this version does not read`;
  if (choice === undefined)
    throw new InfoError(
      'UNSUPPORTED',
      `${what}; a later version will. ocdbt: 'ignore' (--ocdbt ignore) opens it as if none had split: IDs and roots of those that did are old ones`,
      url,
    );
  warn(`${what}; it is opened as if none had split: IDs and roots of those that did are old ones`);
}
