/** Requests for parts of one list that failed in a row before the rest fails unasked. */
export const HOPELESS_AFTER = 8;
