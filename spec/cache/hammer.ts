/** A process that puts and gets at random until it is killed; whatever it gets wrong it says. Run by `many-processes.spec.ts`. */
import { DiskCache } from '../../lib/cache/disk-cache.ts';

const [folder, maxBytes, seed, rounds] = process.argv.slice(2);
const cache = new DiskCache({ folder, maxBytes: Number(maxBytes) });
let state = Number(seed);
const random = (below: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;

/** What belongs at a key follows from the key. */
function contentOf(key: number): Uint8Array {
  return Uint8Array.from({ length: 1000 + 977 * (key % 40) }, (_, k) => (k * 31 + key) & 255);
}

for (let round = 0; round < Number(rounds); round++) {
  const key = random(400);
  const found = await cache.get(`key ${key}`);
  if (found && !Buffer.from(found.bytes!).equals(contentOf(key))) throw new Error(`key ${key} gave something else`);
  if (!found) await cache.put(`key ${key}`, { bytes: contentOf(key), validator: undefined });
}
process.stdout.write(JSON.stringify(cache.counts));
