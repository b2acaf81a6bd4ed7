/**
 * Reads which version of a database is wanted. Pure.
 * Source: TensorStore, kvstore/ocdbt/format/version_tree.cc; Neuroglancer, src/kvstore/ocdbt/version_specifier.ts.
 */
import type { Version, VersionSpec } from './version-tree.ts';

/**
 * A version of an OCDBT database: the number of a commit; or a time, for the last commit at or before it, as a
 * Date or as ISO text in UTC with up to 9 decimals, `2024-06-05T10:10:01.203Z`.
 */
export type OcdbtVersion = number | Date | string;

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{0,9}))?Z$/;
const NS_PER_MS = 1_000_000n;
const NS_PER_S = 1_000_000_000n;

/** @throws RangeError if it is none. */
export function parseVersionSpec(version: OcdbtVersion): VersionSpec {
  if (typeof version === 'number') {
    if (Number.isSafeInteger(version) && version > 0) return { generation: version };
  } else if (typeof version === 'string') {
    const [, seconds, decimals = ''] = TIME.exec(version) ?? [];
    const ms = seconds === undefined ? NaN : Date.parse(`${seconds}Z`);
    // 31 February is not a time.
    if (ms >= 0 && new Date(ms).toISOString().startsWith(seconds))
      return { commitTimeNs: BigInt(ms) * NS_PER_MS + BigInt(decimals.padEnd(9, '0')) };
  } else if (version instanceof Date && version.getTime() >= 0)
    return { commitTimeNs: BigInt(version.getTime()) * NS_PER_MS };
  throw new RangeError(
    `${JSON.stringify(version)} is not a version of an OCDBT database: a commit from 1, or a time such as 2024-06-05T10:10:01.203Z`,
  );
}

/** As it stands in a URL: `v12`, or a time. */
export function parseOcdbtVersionName(name: string): VersionSpec {
  const digits = /^v([1-9]\d{0,15})$/.exec(name)?.[1];
  return parseVersionSpec(digits === undefined ? name : Number(digits));
}

/** The time of a commit, with as many decimals as it needs. */
export function formatCommitTime({ commitTimeNs }: Pick<Version, 'commitTimeNs'>): string {
  const ms = Number(commitTimeNs / NS_PER_MS);
  if (ms > 8.64e15) return `${commitTimeNs} ns`;
  const decimals = (commitTimeNs % NS_PER_S).toString().padStart(9, '0').replace(/0+$/, '');
  return `${new Date(ms).toISOString().slice(0, 19)}${decimals && `.${decimals}`}Z`;
}

/** The wanted version in words. */
export const describeVersionSpec = (spec: VersionSpec): string =>
  'generation' in spec ? `version ${spec.generation}` : `version at ${formatCommitTime(spec)}`;
