/** The names of volumes that are read together. They are the first part of the names of columns. */

const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u;

/** Returns why a name cannot be the first part of the name of a column; undefined if it can. */
export const reasonNotVolumeName = (name: string): string | undefined =>
  name === ''
    ? 'the name of a volume is empty'
    : NAME.test(name)
      ? undefined
      : `${JSON.stringify(name)} cannot be the name of a volume: names hold letters, digits, _, - and ., because columns are named after them`;
