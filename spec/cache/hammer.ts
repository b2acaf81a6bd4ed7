/**
 * A process that puts and gets random entries until it is killed, and fails at the first wrong entry. It writes a line now and then.
 * `many-processes.spec.ts` runs it.
 */
import { DiskCache } from '../../lib/cache/disk-cache.ts';

const [folder, maxBytes, seed, rounds] = process.argv.slice(2);
const cache = new DiskCache({ folder, maxBytes: Number(maxBytes) });
let state = Number(seed);
const random = (below: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;

const PATTERN = Uint8Array.from({ length: 40_000 }, (_, k) => (k * 31) ^ (k >> 8));

/** The expected bytes of a key. */
const contentOf = (key: number): Uint8Array => PATTERN.subarray(key, key + 1000 + 977 * (key % 40));

// It exits when the spec exits.
process.stdin.on('close', () => process.exit(1)).resume();

for (let round = 0; round < Number(rounds); round++) {
  const key = random(400);
  const found = await cache.get(`key ${key}`);
  if (found && !Buffer.from(found.bytes!).equals(contentOf(key)))
    throw new Error(`key ${key} returned wrong bytes`);
  if (!found) await cache.put(`key ${key}`, { bytes: contentOf(key), validator: undefined });
  if (round % 30 === 29) process.stdout.write('working\n');
}
process.stdout.write(JSON.stringify(cache.counts), () => process.exit(0));
