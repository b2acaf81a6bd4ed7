/** Finds the volume that a request names. */
import type { Caller } from '../access/caller.ts';
import { HttpRefusal } from '../http-errors.ts';
import type { ServedVolume, ServedVolumes } from '../volumes.ts';

/** Returns the volume of a name. @throws HttpRefusal 404, also if the caller may not read its voxels. */
export function volumeNamed(name: string, caller: Caller, volumes: ServedVolumes): ServedVolume {
  const volume = volumes.find(name);
  if (volume && caller.mayReadVoxels(volume)) return volume;
  throw new HttpRefusal(404, `no volume has the name ${JSON.stringify(name)}; GET /v1 lists the names`);
}
