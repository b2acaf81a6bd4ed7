/**
 * XXH64 with seed 0 in pairs of uint32, no BigInt. Source: the xxHash specification, doc/xxhash_spec.md of Cyan4973/xxHash.
 */

const { imul } = Math;

/** A uint64 as two int32; the functions below write into their first argument. */
interface Pair {
  high: number;
  low: number;
}

const P1 = pair(0x9e3779b1, 0x85ebca87), P2 = pair(0xc2b2ae3d, 0x27d4eb4f), P3 = pair(0x165667b1, 0x9e3779f9);
const P4 = pair(0x85ebca77, 0xc2b2ae63), P5 = pair(0x27d4eb2f, 0x165667c5);

function pair(high: number, low: number): Pair {
  return { high: high | 0, low: low | 0 };
}

function add(a: Pair, high: number, low: number): void {
  const sum = (a.low >>> 0) + (low >>> 0);
  a.high = (a.high + high + (sum > 0xffffffff ? 1 : 0)) | 0;
  a.low = sum | 0;
}

function multiply(a: Pair, b: Pair): void {
  const a0 = a.low & 0xffff, a1 = a.low >>> 16, b0 = b.low & 0xffff, b1 = b.low >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16), other = a0 * b1 + (middle & 0xffff);
  a.high = (a1 * b1 + (middle >>> 16) + (other >>> 16) + imul(a.high, b.low) + imul(a.low, b.high)) | 0;
  a.low = imul(a.low, b.low);
}

/** By 1 to 63 bits other than 32. */
function rotate(a: Pair, count: number): void {
  const [high, low] = count < 32 ? [a.high, a.low] : [a.low, a.high], n = count & 31;
  a.high = (high << n) | (low >>> (32 - n));
  a.low = (low << n) | (high >>> (32 - n));
}

/** a ^= a >> count */
function fold(a: Pair, count: number): void {
  const { high } = a;
  if (count < 32) {
    a.low ^= (a.low >>> count) | (high << (32 - count));
    a.high ^= high >>> count;
  } else a.low ^= count === 32 ? high : high >>> (count - 32);
}

const scratch = pair(0, 0);

function round(lane: Pair, high: number, low: number): void {
  scratch.high = high;
  scratch.low = low;
  multiply(scratch, P2);
  add(lane, scratch.high, scratch.low);
  rotate(lane, 31);
  multiply(lane, P1);
}

function xor(a: Pair, b: Pair): void {
  a.high ^= b.high;
  a.low ^= b.low;
}

/** The lower 32 bits of the hash, as a zstd frame keeps them. */
export function xxHash64Low(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => view.getInt32(at, true);
  let at = 0;
  const hash = pair(P5.high, P5.low);
  if (bytes.length >= 32) {
    const lanes = [pair(P1.high, P1.low), pair(P2.high, P2.low), pair(0, 0), pair(0, 0)];
    add(lanes[0], P2.high, P2.low);
    add(lanes[3], ~P1.high, ~P1.low);
    add(lanes[3], 0, 1);
    for (; at + 32 <= bytes.length; at += 32) for (let k = 0; k < 4; k++) round(lanes[k], word(at + 8 * k + 4), word(at + 8 * k));
    hash.high = hash.low = 0;
    [1, 7, 12, 18].forEach((count, k) => {
      const turned = { ...lanes[k] };
      rotate(turned, count);
      add(hash, turned.high, turned.low);
    });
    for (const lane of lanes) {
      const mixed = pair(0, 0);
      round(mixed, lane.high, lane.low);
      xor(hash, mixed);
      multiply(hash, P1);
      add(hash, P4.high, P4.low);
    }
  }
  add(hash, 0, bytes.length);
  for (; at + 8 <= bytes.length; at += 8) {
    const mixed = pair(0, 0);
    round(mixed, word(at + 4), word(at));
    xor(hash, mixed);
    rotate(hash, 27);
    multiply(hash, P1);
    add(hash, P4.high, P4.low);
  }
  if (at + 4 <= bytes.length) {
    const mixed = pair(0, word(at));
    multiply(mixed, P1);
    xor(hash, mixed);
    rotate(hash, 23);
    multiply(hash, P2);
    add(hash, P3.high, P3.low);
    at += 4;
  }
  for (; at < bytes.length; at++) {
    const mixed = pair(0, bytes[at]);
    multiply(mixed, P5);
    xor(hash, mixed);
    rotate(hash, 11);
    multiply(hash, P1);
  }
  fold(hash, 33);
  multiply(hash, P2);
  fold(hash, 29);
  multiply(hash, P3);
  fold(hash, 32);
  return hash.low >>> 0;
}
