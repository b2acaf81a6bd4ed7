/** The unit of coordinates: three numbers, or the resolution of a datastack's viewer. */
import { InfoError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { Resolution } from './option-types.ts';

/**
 * Returns `resolution`, or the resolution of the datastack's viewer for `'viewer'`.
 * @throws InfoError for `'viewer'`: UNSUPPORTED without a datastack, NOT_FOUND when the datastack names no
 *   resolution, BAD_INFO when it names one that cannot be used.
 */
export function resolveResolution(
  resolution: Resolution | undefined,
  datastack: { name: string; viewerResolution: Vec3 | undefined; viewerFault?: Error } | undefined,
): Vec3 | undefined {
  if (resolution !== 'viewer') return resolution as Vec3 | undefined;
  if (!datastack)
    throw new InfoError(
      'UNSUPPORTED',
      "resolution 'viewer' needs a datastack: open the volume as cave://DATASTACK, or give three numbers",
    );
  if (datastack.viewerFault) throw datastack.viewerFault;
  if (!datastack.viewerResolution)
    throw new InfoError(
      'NOT_FOUND',
      `datastack ${datastack.name} names no viewer resolution: give three numbers`,
    );
  return datastack.viewerResolution;
}
