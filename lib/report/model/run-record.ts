/** What one run did, as plain data: the folder of a job keeps it, and a report joins the records of all runs. */
import * as z from 'zod/mini';
import { SERIES } from './run-timeline.ts';

const count = z.number().check(z.minimum(0));
const sketch = z.object({
  count,
  sum: count,
  min: count,
  max: count,
  buckets: z.array(z.tuple([z.int().check(z.minimum(0)), count])),
});
const hostRecord = z.object({
  host: z.string(),
  /** Chunks that came from there, that are not stored there, and that failed. */
  read: count,
  missing: count,
  failed: count,
  /** Root requests with and without an answer. */
  rootRequests: count,
  rootFailures: count,
  retries: count,
  /** The sum of the times that retries waited for, in milliseconds. */
  waitedMs: count,
});
const fault = z.object({
  host: z.string(),
  what: z.enum(['chunk', 'roots']),
  code: z.string(),
  count,
  /** The first message. */
  message: z.string(),
});
const slowChunk = z.object({
  url: z.string(),
  ms: count,
  bytes: count,
  outcome: z.string(),
  from: z.string(),
});

const positive = z.number().check(z.positive());

/** A volume that was read. */
const volumeFacts = z.object({
  /** The name that its columns begin with; empty for the main one. */
  name: z.string(),
  path: z.string(),
  /** `segmentation of uint64`. */
  what: z.string(),
  /** Nanometres per voxel of the scale that was read, and its mip; undefined if the volume was not opened. */
  resolution: z.optional(z.readonly(z.array(positive))),
  mip: z.optional(count),
  /** The number of the commit of an OCDBT database. */
  generation: z.optional(count),
  graph: z.optional(
    z.object({
      /** The URL of the table on the server. */
      server: z.string(),
      /** The versions of the API that the server names. */
      apiVersions: z.readonly(z.array(z.number())),
      layers: count,
      supervoxelsSplit: z.boolean(),
    }),
  ),
  /** The datastack that the path names. */
  datastack: z.optional(z.string()),
  /** The newest timestamp whose roots were final when the volume was opened. */
  settled: z.optional(z.string()),
});

/** The form of a record. */
export const RUN_RECORD = z.object({
  format: z.literal(1),
  /** When the run began, in milliseconds since 1970, and how long it took. */
  startMs: z.number(),
  ms: count,
  /** `running`: the run has not ended, or was killed. */
  outcome: z.enum(['running', 'done', 'failed', 'interrupted']),
  /** The message of the error, if the run failed. */
  error: z.optional(z.string()),
  /** What the run was: `lookup`, `job run`, `shard 0/4`. */
  step: z.string(),
  /** The tasks of a job that it did. */
  tasks: count,
  program: z.string(),
  node: z.string(),
  platform: z.string(),
  peakMemoryBytes: count,
  /** Chunks and stored bytes from the store, and chunks from the disk cache. */
  chunks: z.object({
    store: count,
    missing: count,
    failed: count,
    disk: count,
    bytes: count,
    diskBytes: count,
  }),
  roots: z.object({ requests: count, failed: count, ids: count, bytes: count, checks: count }),
  batches: z.object({ batches: count, calls: count }),
  latencies: z.object({ store: sketch, disk: sketch, roots: sketch }),
  hosts: z.array(hostRecord),
  faults: z.array(fault),
  slowest: z.array(slowChunk),
  timeline: z.object({
    widthMs: z.number().check(z.positive()),
    counts: z.record(z.enum(SERIES), z.array(z.number())),
  }),
  /** The volumes, main first, and nanometres per unit of the points; undefined if they were not opened. */
  volumes: z.optional(z.readonly(z.array(volumeFacts))),
  unit: z.optional(z.readonly(z.array(positive))),
  warnings: z.object({ total: count, texts: z.array(z.object({ text: z.string(), count })) }),
});

/** What one run did. */
export type RunRecord = z.infer<typeof RUN_RECORD>;
export type VolumeFacts = z.infer<typeof volumeFacts>;
export type HostRecord = z.infer<typeof hostRecord>;
export type FaultRecord = z.infer<typeof fault>;
export type SlowChunk = z.infer<typeof slowChunk>;
