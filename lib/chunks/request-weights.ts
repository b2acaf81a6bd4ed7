/**
 * The cost of one request, as the number of bytes that could be read in its place. There are two values,
 * because a wrong decision costs different things in the two places.
 */

/**
 * Decides whether to read across the gap between two wanted ranges. It is low: the wasted bytes are certain,
 * but a second request runs in parallel and adds no round trip. 64 KiB take 5 ms at 100 Mbit/s. Object stores
 * charge for a request about as much as for a few hundred KB of traffic.
 */
export const GAP_REQUEST_BYTES = 64 * 1024;

/**
 * Decides whether to read a chunk whole or in parts. It is high: the whole chunk is one request that always
 * works, and parts are several requests that one answer waits for. An object store needs about 10 ms until
 * the first byte, and then sends about 25 MB/s on one connection.
 */
export const PART_REQUEST_BYTES = 256 * 1024;
