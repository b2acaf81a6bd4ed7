/** The flags of a job, as they are kept in its manifest: paths are absolute, and nothing is a secret. */
import { resolve } from 'node:path';
import { normalizeCloudPath } from '../graphene/resolve/cloud-path.ts';
import { describeKvPath } from '../graphene/resolve/kv-path.ts';
import { isSpecText } from '../graphene/resolve/kvstore-spec.ts';
import { redactUrl } from '../http/excerpt.ts';
import type { JobManifest } from '../jobs/job-plan.ts';
import type { LookupFlags } from './lookup-session.ts';

/** The flags of the job commands. */
export interface JobFlags extends LookupFlags {
  /** The folder of the job. */
  job: string;
  /** The cloud path of the main volume. */
  volume?: string;
  shard?: JobShard;
  /** About how many points a task has. */
  taskPoints?: number;
}

/** A part of the tasks of a job: task t is of shard t mod `of`. */
export interface JobShard {
  index: number;
  of: number;
}

/** Flags that name local files or folders. */
const PATH_FLAGS = ['out', 'stats', 'report', 'tempDir', 'cacheDir'] as const;
/** Flags that are not kept: those of one run, and those that the manifest has elsewhere. */
const DROPPED = ['points', 'job', 'volume', 'shard', 'quiet', 'dryRun', 'json'];

/** Returns the flags that a manifest keeps. */
export function keptFlags(flags: LookupFlags): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(flags)) if (!DROPPED.includes(name)) kept[name] = value;
  for (const name of PATH_FLAGS) if (typeof kept[name] === 'string') kept[name] = absolute(kept[name]);
  if (flags.also) kept.also = flags.also.map(({ name, path }) => ({ name, path: absoluteVolume(path) }));
  if (typeof kept.dataDir === 'string') kept.dataDir = absoluteVolume(kept.dataDir);
  return kept;
}

/** Returns the flags of a job that is resumed. */
export const flagsOfManifest = (
  { flags, inputs, output }: JobManifest,
  own: Pick<LookupFlags, 'quiet' | 'stats' | 'report'>,
): LookupFlags => ({
  ...(flags as Partial<LookupFlags>),
  ...(own.report !== undefined && { report: own.report }),
  ...(own.stats !== undefined && { stats: own.stats }),
  points: inputs.map(({ path }) => path),
  out: output,
  quiet: own.quiet,
});

/** Returns the path of a file, from the root. A URL and - stay. */
export const absolute = (path: string): string => (path === '-' || isUrl(path) ? path : resolve(path));

/** Returns the path of a volume. A folder is named from the root. */
export function absoluteVolume(path: string): string {
  const normal = normalizeCloudPath(path);
  return isUrl(normal) || isSpecText(normal) ? normal : resolve(normal);
}

/** Returns the first path that may hold a secret: a URL with a user name or a query. It is shown without. */
export function findSecret(volume: string, flags: LookupFlags): string | undefined {
  const { dataDir, server, endpoint } = flags as { dataDir?: string; server?: string; endpoint?: string };
  const paths = [volume, ...(flags.also ?? []).map(({ path }) => path), flags.out, dataDir, server, endpoint];
  const found = paths.find(
    (path) => path !== undefined && (isUrl(path) || isSpecText(path)) && /:\/\/[^/?#"|]*@|\?/.test(path),
  );
  if (found === undefined) return undefined;
  return isSpecText(found) ? describeKvPath(found) : redactUrl(found);
}

const isUrl = (path: string): boolean => /^[a-z][a-z\d+.-]*:\/\//i.test(path);
