/**
 * What a request weighs, in bytes that could be read instead of sending it. There are two weights, since two questions are asked, and a wrong
 * answer costs something else in each.
 */

/**
 * Ranges of one object that are wanted anyway: is the gap between two of them read, too? Low, because what is read for nothing is certain, and
 * what the second request costs is not: both go out at once, so that it adds no round trip. 5 ms at 100 Mbit/s; object stores bill a request
 * like some hundred KB of traffic.
 */
export const GAP_REQUEST_BYTES = 64 * 1024;

/**
 * One chunk: is it read whole, or in parts? High, because the whole chunk is one request that always works, and parts are several that hold
 * up one answer: an object store takes some 10 ms before its first byte and then sends some 25 MB/s on one connection.
 */
export const PART_REQUEST_BYTES = 256 * 1024;
