/**
 * Measures how much time it would save to stop decompressing a raw chunk after the last byte that a look-up
 * needs, and how many damaged chunks would then go unnoticed.
 *
 *   tsx bench/prefix-inflate.ts --volumes DIR
 *
 * DIR is the output of peers/make_volumes.py: gzipped raw chunks of 8 MB. Every 32nd chunk is used, as gzip
 * and as brotli of quality 5. Times are medians per chunk, on one thread. A flip changes one bit of a stored
 * chunk. It is unseen at the end if the stream ends without an error and with the right size, but with other
 * bytes. It is unseen in the prefix if the bytes before a random offset are wrong and no error came before
 * that offset.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants, createBrotliDecompress, createGunzip, gunzipSync } from 'node:zlib';
import { machine } from './machine.ts';

const { values: args } = parseArgs({ options: { volumes: { type: 'string' } } });
if (!args.volumes) throw new Error('--volumes DIR is needed: see bench/README.md');
const folder = join(args.volumes, 'raw_gzip', '8_8_40');
const gzipped = readdirSync(folder)
  .filter((_, k) => k % 32 === 0)
  .map((name) => readFileSync(join(folder, name)));
const chunks = gzipped.map((bytes) => gunzipSync(bytes));
const SIZE = chunks[0].length,
  REPEATS = 5,
  FLIPS = 20;

let seed = 1;
const random = (): number => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;

/** Returns the decompressed bytes up to the offset `stop`, or undefined after an error. */
function inflate(create: typeof createGunzip, bytes: Uint8Array, stop: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const stream = create({ chunkSize: 128 * 1024 }),
      windows: Buffer[] = [];
    let at = 0;
    const end = (result: Buffer | undefined): void => (stream.destroy(), resolve(result));
    stream.on('data', (window: Buffer) => {
      windows.push(window);
      if ((at += window.length) >= stop) end(Buffer.concat(windows).subarray(0, stop));
    });
    stream.once('end', () => end(Buffer.concat(windows)));
    stream.once('error', () => end(undefined));
    stream.end(bytes);
  });
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];
console.log(machine());
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const FORMATS = [
  { name: 'gzip', create: createGunzip, stored: gzipped },
  {
    name: 'br',
    create: createBrotliDecompress,
    stored: chunks.map((chunk) => brotliCompressSync(chunk, quality)),
  },
];
for (const { name, create, stored } of FORMATS) {
  for (const part of [0.02, 0.25, 0.5, 0.75, 2]) {
    const times: number[] = [];
    for (const bytes of stored)
      for (let r = 0; r < REPEATS; r++) {
        const began = performance.now();
        await inflate(create, bytes, part * SIZE);
        times.push(performance.now() - began);
      }
    console.log(
      `${name}: ${part > 1 ? 'to the end' : `${100 * part} % of the chunk`}: ${median(times).toFixed(2)} ms`,
    );
  }
  let atEnd = 0,
    inPrefix = 0;
  for (const [k, bytes] of stored.entries())
    for (let flip = 0; flip < FLIPS; flip++) {
      const broken = Buffer.from(bytes),
        stop = 1 + Math.floor(random() * (SIZE - 1));
      broken[20 + Math.floor(random() * (bytes.length - 40))] ^= 1 << Math.floor(random() * 8);
      const whole = await inflate(create, broken, 2 * SIZE),
        prefix = await inflate(create, broken, stop);
      if (whole?.length === SIZE && !whole.equals(chunks[k])) atEnd++;
      if (prefix?.length === stop && !prefix.equals(chunks[k].subarray(0, stop))) inPrefix++;
    }
  console.log(
    `${name}: ${FLIPS * stored.length} flips: ${atEnd} unseen at the end, ${inPrefix} unseen in the prefix`,
  );
}
