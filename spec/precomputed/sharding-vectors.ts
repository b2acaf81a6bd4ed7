/** What cloud-volume and mmh3 answer for chosen inputs; who wrote them: `spec/fixtures/sharding/README.md`. */
import { readFileSync } from 'node:fs';

interface Vectors {
  /** Key and low 64 bits of its hash, decimal. */
  murmurhash3_x86_128: [key: string, hash: string][];
  /** Cells of a grid and their chunk IDs, decimal. */
  morton: { shape: [number, number, number]; chunks: [x: number, y: number, z: number, code: string][] }[];
  /** Where chunk IDs (decimal) are stored. */
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
