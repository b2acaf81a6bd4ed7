/** The option `voxelsAt`: which version of the voxels is read, where supervoxels can split. */
import { defineKind } from '../base/value-kinds.ts';
import { parseVersionSpec, type OcdbtVersion } from '../ocdbt/format/version-spec.ts';

/**
 * `'latest'`; the number of a generation; or a time, for the last generation at or before it, as a Date or as ISO
 * text in UTC.
 */
export type VoxelsAt = 'latest' | number | Date | (string & {});

/** The version that OCDBT knows it by. */
export const toOcdbtVersion = (voxelsAt: Exclude<VoxelsAt, 'latest'>): OcdbtVersion =>
  typeof voxelsAt === 'string' && /^v?[1-9]\d*$/.test(voxelsAt)
    ? Number(voxelsAt.replace('v', ''))
    : voxelsAt;

function isVersion(value: unknown): boolean {
  if (value === 'latest') return true;
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Date)) return false;
  try {
    parseVersionSpec(toOcdbtVersion(value));
    return true;
  } catch {
    return false;
  }
}

/** Checks the option. */
export const VOXELS_AT = defineKind(
  "'latest', the number of a generation from 1, a Date, or a time such as 2024-06-05T10:10:01.203Z",
  isVersion,
);
