/**
 * The answers of cloud-volume and mmh3 for chosen inputs. `spec/fixtures/sharding/README.md` says how they
 * were made.
 */
import { readFileSync } from 'node:fs';

interface Vectors {
  /** A key and the low 64 bits of its hash, in decimal. */
  murmurhash3_x86_128: [key: string, hash: string][];
  /** Cells of a grid and their chunk IDs, in decimal. */
  morton: { shape: [number, number, number]; chunks: [x: number, y: number, z: number, code: string][] }[];
  /** Where chunks are stored. Their IDs are in decimal. */
  locations: {
    hash: 'identity' | 'murmurhash3_x86_128';
    preshift_bits: number;
    minishard_bits: number;
    shard_bits: number;
    chunks: [id: string, file: string, minishard: number][];
  }[];
}

export const vectors = JSON.parse(
  readFileSync(new URL('../fixtures/sharding/vectors.json', import.meta.url), 'utf8'),
) as Vectors;
