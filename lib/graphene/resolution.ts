/** Units of coordinates: given, or those of a datastack's viewer. */
import { InfoError } from '../base/errors.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { Resolution } from './option-types.ts';

/**
 * The same, or that of the datastack's viewer: never in place of numbers that were given.
 * @throws InfoError UNSUPPORTED for `'viewer'` where there is no datastack, NOT_FOUND where that does not say, BAD_INFO where it says
 *   something else.
 */
export function resolveResolution(
  resolution: Resolution | undefined,
  datastack: { name: string; viewerResolution: Vec3 | undefined; viewerFault?: Error } | undefined,
): Vec3 | undefined {
  if (resolution !== 'viewer') return resolution as Vec3 | undefined;
  if (!datastack)
    throw new InfoError(
      'UNSUPPORTED',
      "resolution 'viewer' is that of a datastack: open the volume as cave://DATASTACK, or give three numbers",
    );
  if (datastack.viewerFault) throw datastack.viewerFault;
  if (!datastack.viewerResolution)
    throw new InfoError(
      'NOT_FOUND',
      `datastack ${datastack.name} does not say at which resolution its viewer shows coordinates: give three numbers`,
    );
  return datastack.viewerResolution;
}
