/**
 * The bytes of the answers of one task: a header that says what is in them, and the packed answers of its
 * slices, one after the other. Pure.
 */
import { crc32 } from 'node:zlib';
import { Packr, Unpackr } from 'msgpackr';
import * as z from 'zod/mini';
import { integerBetween } from '../base/schema.ts';
import type { LookupStats } from '../points/result.ts';
import { ARRAY_TYPE_NAMES, AnswerLayout, type VolumeLayout } from '../spill/answer-layout.ts';
import type { RunSlice } from '../spill/point-spill.ts';

/** Why some points of a task have no answer: point `points[k]` for the reason `reasons[k]`. */
export interface TaskFailures {
  /** The places of the points in the task: in the order of its blocks. Ascending. */
  points: Uint32Array;
  reasons: Uint32Array;
  /** The status code of each point. */
  codes: Uint8Array;
  /** The distinct reasons. `message` tells kinds apart, and `text` has also the causes. */
  texts: readonly { message: string; text: string }[];
}

/** What a task found in one volume. */
export interface TaskVolume {
  /** The number of points per status code. A status that did not occur is left out. */
  counts: readonly (readonly [code: number, count: number])[];
  stats: LookupStats;
  failures: TaskFailures;
}

/** What a task did. */
export interface TaskHeader {
  /** The ID of the job. */
  job: string;
  task: number;
  /** The slices of runs whose answers follow, in this order. */
  blocks: readonly RunSlice[];
  /** The CRC-32 of the packed answers of each block. */
  crcs: readonly number[];
  layout: readonly VolumeLayout[];
  /** The main volume, then the others. */
  volumes: readonly TaskVolume[];
  /** The timestamps of the roots in ms, if rows have their own. */
  timestamps: readonly number[];
  /** How long it took. */
  seconds: number;
  /** The number of the retry that looked up its failed points last; 0 for none. */
  attempt: number;
}

const MAGIC = Buffer.from('gpTask\0\x01', 'latin1');
const PREFIX_BYTES = MAGIC.length + 8;

const packer = new Packr({ useRecords: false, variableMapSize: true });
const unpacker = new Unpackr({ useRecords: false, int64AsType: 'number' });

const toBytes = (words: Uint32Array): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** Encodes the bytes before the packed answers. */
export function encodeTaskHeader(header: TaskHeader): Uint8Array {
  const packed = packer.pack({
    ...header,
    blocks: toBytes(Uint32Array.from(header.blocks.flatMap(({ run, from, end }) => [run, from, end]))),
    crcs: toBytes(Uint32Array.from(header.crcs)),
    volumes: header.volumes.map(({ failures, ...volume }) => ({
      ...volume,
      failures: { ...failures, points: toBytes(failures.points), reasons: toBytes(failures.reasons) },
    })),
  });
  const bytes = Buffer.alloc(PREFIX_BYTES + packed.length);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(packed.length, MAGIC.length);
  bytes.writeUInt32LE(crc32(packed), MAGIC.length + 4);
  packed.copy(bytes, PREFIX_BYTES);
  return bytes;
}

const words = z.pipe(
  z.instanceof(Uint8Array).check(z.refine((bytes) => bytes.length % 4 === 0, 'not uint32')),
  z.transform((bytes) => new Uint32Array(new Uint8Array(bytes).buffer)),
);
const count = z.number().check(z.nonnegative());
const column = z.object({
  stride: integerBetween(1, 1024),
  offset: integerBetween(0, 1023),
  zeroMeansMissing: z.boolean(),
  decimals: z.optional(z.number()),
  words: z.optional(z.array(z.string())),
});
const layout = z.object({
  columns: z.array(column),
  arrayOf: z.array(z.int().check(z.nonnegative())),
  arrays: z.array(z.object({ type: z.enum(ARRAY_TYPE_NAMES), stride: integerBetween(1, 1024) })),
});
const stats = z.looseObject({
  points: count,
  chunks: count,
  requests: count,
  bytes: count,
  cacheHits: count,
  absentBy403: count,
  rootRequests: count,
  distinctSupervoxels: count,
  ms: z.object({ plan: count, chunks: count, roots: count, total: count }),
});
const volume = z.object({
  counts: z.array(z.tuple([integerBetween(0, 255), count])),
  stats,
  failures: z.object({
    points: words,
    reasons: words,
    codes: z.instanceof(Uint8Array),
    texts: z.array(z.object({ message: z.string(), text: z.string() })),
  }),
});
const HEADER = z.object({
  job: z.string(),
  task: count,
  blocks: words,
  crcs: words,
  layout: z.array(layout).check(z.minLength(1)),
  volumes: z.array(volume).check(z.minLength(1)),
  timestamps: z.array(z.number()),
  seconds: count,
  attempt: z.int().check(z.nonnegative()),
});

/** Returns the length of the header; undefined if the bytes do not begin as those of a task. */
export function headerLength(prefix: Uint8Array): number | undefined {
  if (prefix.length < PREFIX_BYTES || !MAGIC.equals(prefix.subarray(0, MAGIC.length))) return undefined;
  return PREFIX_BYTES + new DataView(prefix.buffer, prefix.byteOffset).getUint32(MAGIC.length, true);
}

/** How many bytes {@link headerLength} needs. */
export const TASK_PREFIX_BYTES = PREFIX_BYTES;

/** Decodes a header. @returns undefined if it is damaged. */
export function decodeTaskHeader(bytes: Uint8Array): TaskHeader | undefined {
  if (headerLength(bytes) !== bytes.length) return undefined;
  const packed = bytes.subarray(PREFIX_BYTES);
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length + 4, true) !== crc32(packed))
    return undefined;
  let found: unknown;
  try {
    found = unpacker.unpack(packed);
  } catch {
    return undefined;
  }
  const parsed = HEADER.safeParse(found);
  if (!parsed.success) return undefined;
  const { blocks: flat, crcs, ...header } = parsed.data,
    blocks: RunSlice[] = [];
  for (let at = 0; at + 2 < flat.length; at += 3)
    blocks.push({ run: flat[at], from: flat[at + 1], end: flat[at + 2] });
  const isWhole =
    crcs.length === blocks.length &&
    3 * crcs.length === flat.length &&
    header.layout.length === header.volumes.length &&
    header.layout.every(isLayout) &&
    header.volumes.every(({ failures }) => areFailures(failures));
  return isWhole ? { ...header, blocks, crcs: [...crcs] } : undefined;
}

const isLayout = ({ columns, arrayOf, arrays }: z.infer<typeof layout>): boolean =>
  arrayOf.length === columns.length &&
  arrays.at(-1)?.type === 'Uint8Array' &&
  arrayOf.every((index, k) => arrays[index]?.stride === columns[k].stride) &&
  columns.every(({ stride, offset }) => offset < stride);

const areFailures = ({ points, reasons, codes, texts }: TaskFailures): boolean =>
  points.length === reasons.length &&
  codes.length === points.length &&
  reasons.every((reason) => reason < texts.length);

/** Returns the number of bytes of the answers that follow a header. */
export const bodyBytes = ({ layout: volumes, blocks }: TaskHeader): number =>
  new AnswerLayout(volumes).width * blocks.reduce((sum, { from, end }) => sum + end - from, 0);
