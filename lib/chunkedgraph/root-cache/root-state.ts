/**
 * What is known of a root at one timestamp: it is current, it is not current, it is later or earlier than the
 * known time span, or its facts are too old to use.
 */
export const CURRENT = 0,
  NOT_CURRENT = 1,
  UNKNOWN_LATER = 2,
  UNKNOWN_EARLIER = 3,
  FORGOTTEN = 4;
export type RootState = 0 | 1 | 2 | 3 | 4;

/** Flag of a row whose time span starts at the root's creation. */
export const CREATED = 1;
