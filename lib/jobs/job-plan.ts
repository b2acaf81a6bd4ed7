/**
 * The two files that describe a job: the manifest says what is looked up, and is written first; the plan says
 * how the points are cut into tasks, and is written when all points are sorted.
 */
import { crc32 } from 'node:zlib';
import * as z from 'zod/mini';
import { JobError } from '../base/errors.ts';
import { USER_AGENT } from '../http/user-agent.ts';
import type { RunIndex, RunSlice } from '../spill/point-spill.ts';
import { type JobFolder, MANIFEST, PLAN } from './job-folder.ts';
import type { StartedJob } from './task-store.ts';

/** The version of the files of a job. */
const FORMAT = 1;

const count = z.int().check(z.nonnegative());
const date = z.iso.datetime({ precision: 3 });

const INPUT = z.object({
  /** The name in messages. */
  name: z.string(),
  /** The absolute path of the file that is read: that of the copy of an input that is read once only. */
  path: z.string(),
  bytes: count,
  /** Nanoseconds since 1970. */
  modified: z.string().check(z.regex(/^\d{1,20}$/)),
  /** The SHA-256 of the first and of the last bytes: of the footer of Parquet and Arrow, among others. */
  ends: z.string(),
});

const MANIFEST_SCHEMA = z.object({
  format: z.literal(FORMAT),
  program: z.string(),
  /** Tells the files of this job from those of others. */
  job: z.string().check(z.minLength(8), z.maxLength(64)),
  created: date,
  /** Whether the folder is deleted when the job is done. */
  isTemporary: z.boolean(),
  /** The cloud path of the main volume. */
  volume: z.string(),
  /** The flags, as the command line gives them to its commands. No flag is a secret. */
  flags: z.record(z.string(), z.unknown()),
  inputs: z.array(INPUT).check(z.minLength(1)),
  output: z.string(),
  /** The timestamps of the roots: of the main volume, then of the others; null if none are looked up. */
  timestamps: z.array(z.nullable(date)),
  /** How often the roots were refreshed. */
  generation: count,
  /** The timestamps of the roots that were looked up first, if they were refreshed since; else null. */
  refreshedFrom: z.nullable(z.array(z.nullable(date))),
});

/** An input, as it was when the job was made. */
export type JobInputFile = z.infer<typeof INPUT>;
/** What a job looks up. Plain data. */
export type JobManifest = z.infer<typeof MANIFEST_SCHEMA>;

const RUN = z.object({
  firstRow: count,
  rows: count,
  count,
  presets: count,
  areIntegers: z.boolean(),
  hasTimestamps: z.boolean(),
  offset: count,
  crc: count,
});

const PLAN_SCHEMA = z.object({
  format: z.literal(FORMAT),
  job: z.string(),
  rows: count,
  /** The points of a row. */
  sides: z.array(z.string()).check(z.minLength(1)),
  /** The names of the other volumes. */
  also: z.array(z.string()),
  /** The columns that are written. */
  outputs: z.array(z.string()),
  /** Which coordinates of a row name voxels; null if none does. */
  namesVoxels: z.nullable(z.array(z.boolean())),
  /** The number of points that are not looked up, by status. */
  presets: z.array(z.tuple([count, count])),
  pointBytes: count,
  runs: z.array(RUN),
  /** For each task, the slices of runs: run, first point, end. */
  tasks: z.array(z.array(count)).check(z.minLength(1)),
});

/** How a job is cut into tasks. Plain data. */
export type JobPlan = z.infer<typeof PLAN_SCHEMA>;

/** Writes the manifest of a new job. */
export async function writeManifest(
  folder: JobFolder,
  job: Omit<JobManifest, 'format' | 'program' | 'created' | 'generation' | 'refreshedFrom'>,
): Promise<JobManifest> {
  const manifest = {
    format: FORMAT,
    program: USER_AGENT,
    created: new Date().toISOString(),
    ...job,
    generation: 0,
    refreshedFrom: null,
  } as const;
  await replaceManifest(folder, manifest);
  return manifest;
}

/** Writes another manifest of the same job. */
export const replaceManifest = (folder: JobFolder, manifest: JobManifest): Promise<void> =>
  folder.writeText(MANIFEST, `${JSON.stringify(withCheck(manifest), null, 2)}\n`);

/** Returns the job of a manifest. */
export const startedJob = (folder: JobFolder, { job, generation }: JobManifest): StartedJob => ({
  folder,
  job,
  generation,
});

/** Reads the manifest of a job. @throws JobError JOB_MISSING, JOB_VERSION, JOB_DAMAGED. */
export async function readManifest(folder: JobFolder): Promise<JobManifest> {
  const text = await folder.readText(MANIFEST);
  if (text === undefined)
    throw new JobError('JOB_MISSING', `${folder.path} holds no job: it has no ${MANIFEST}`);
  return parse(MANIFEST_SCHEMA, folder, MANIFEST, text);
}

/** Writes the plan of a job. From now on its tasks can be looked up. */
export async function writePlan(folder: JobFolder, plan: Omit<JobPlan, 'format'>): Promise<JobPlan> {
  const whole = { format: FORMAT, ...plan } as const;
  await folder.writeText(PLAN, JSON.stringify(withCheck(whole)));
  return whole;
}

/** Reads the plan of a job; undefined if its planning did not end. @throws JobError JOB_DAMAGED. */
export async function readPlan(folder: JobFolder, job: string): Promise<JobPlan | undefined> {
  const text = await folder.readText(PLAN);
  if (text === undefined) return undefined;
  const plan = parse(PLAN_SCHEMA, folder, PLAN, text);
  if (plan.job !== job || !areSlices(plan)) throw damaged(folder, PLAN);
  return plan;
}

/** The CRC-32 of the JSON of an object. */
const checkOf = (object: object): string => crc32(JSON.stringify(object)).toString(16);
const withCheck = <T extends object>(object: T): T & { check: string } => ({
  ...object,
  check: checkOf(object),
});

function parse<T>(schema: z.ZodMiniType<T>, folder: JobFolder, name: string, text: string): T {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw damaged(folder, name);
  }
  const { check, ...checked } = (found ?? {}) as { check?: unknown; format?: unknown; program?: unknown },
    { format, program } = checked;
  if (typeof format === 'number' && format !== FORMAT)
    throw new JobError(
      'JOB_VERSION',
      `${folder.path} was made by ${typeof program === 'string' ? program : 'another version'}, with files of version ${format}; this is ${USER_AGENT}, which reads version ${FORMAT}`,
    );
  const parsed = schema.safeParse(found);
  // Any other text may be another question, whose answer nobody would doubt.
  if (!parsed.success || check !== checkOf(checked)) throw damaged(folder, name);
  return parsed.data;
}

const damaged = (folder: JobFolder, name: string): JobError =>
  new JobError('JOB_DAMAGED', `${folder.path}/${name} is damaged: run the job again in a new folder`);

/** Returns the slices of a task. */
export function slicesOf(plan: JobPlan, task: number): RunSlice[] {
  const numbers = plan.tasks[task],
    slices: RunSlice[] = [];
  for (let at = 0; at < numbers.length; at += 3)
    slices.push({ run: numbers[at], from: numbers[at + 1], end: numbers[at + 2] });
  return slices;
}

/** The inverse of {@link slicesOf}. */
export const flatSlices = (slices: readonly RunSlice[]): number[] =>
  slices.flatMap(({ run, from, end }) => [run, from, end]);

/** Returns the runs of a plan, without samples. */
export const runsOf = ({ runs }: JobPlan): RunIndex[] =>
  runs.map((run) => ({ ...run, samples: new Float64Array(0) }));

/** Returns whether the tasks hold each point of each run once, and the runs each row. */
function areSlices(plan: JobPlan): boolean {
  const slices: RunSlice[][] = plan.runs.map(() => []);
  for (const [task, numbers] of plan.tasks.entries()) {
    if (numbers.length % 3 !== 0) return false;
    for (const slice of slicesOf(plan, task)) {
      if (slice.run >= slices.length) return false;
      slices[slice.run].push(slice);
    }
  }
  let rows = 0;
  for (const [k, run] of plan.runs.entries()) {
    if (run.firstRow !== rows + 1) return false;
    rows += run.rows;
    if (run.count + run.presets !== run.rows * plan.sides.length) return false;
    let end = 0;
    for (const slice of slices[k].sort((a, b) => a.from - b.from)) {
      if (slice.from !== end || slice.end <= slice.from) return false;
      end = slice.end;
    }
    if (end !== run.count) return false;
  }
  return rows === plan.rows;
}
