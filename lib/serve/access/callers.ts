/** The callers of a service that is not for this machine alone: anybody, the owner of a token, a user of CAVE. */
import { graphenePartsOf, type GrapheneVolume } from '../../graphene/graphene-volume.ts';
import type { ServedVolume } from '../volumes.ts';
import type { Caller } from './caller.ts';
import type { CaveUser } from './cave-auth.ts';
import type { TokenRights } from './token-file.ts';

/** Somebody without a token, who may ask for the voxels of public volumes. */
export function publicCaller(publicVolumes: ReadonlySet<string>): Caller {
  return {
    label: 'public',
    isKnown: false,
    mayReadVoxels: ({ name }) => publicVolumes.has(name),
    mayReadRoots: () => false,
    graphFor: () => undefined,
  };
}

/** The owner of a token of the file. Their roots are looked up with the token of the service. */
export function tokenCaller(
  { name: label, volumes, roots }: TokenRights,
  publicVolumes: ReadonlySet<string>,
): Caller {
  const isNamed = (name: string): boolean => volumes?.includes(name) ?? true;
  const mayReadRoots = ({ name, opened }: ServedVolume): boolean =>
    roots && opened.graph !== undefined && isNamed(name);
  return {
    label,
    isKnown: true,
    mayReadVoxels: ({ name }) => isNamed(name) || publicVolumes.has(name),
    mayReadRoots,
    graphFor: (volume) => (mayReadRoots(volume) ? volume.opened.graph : undefined),
  };
}

/** A user of CAVE. Their roots are looked up with their own token. */
export function caveCaller(
  user: CaveUser,
  publicVolumes: ReadonlySet<string>,
  viewOf: (volume: ServedVolume) => GrapheneVolume,
): Caller {
  const mayReadRoots = (volume: ServedVolume): boolean => {
    const table = tableOf(volume);
    return table !== undefined && user.mayView(table);
  };
  return {
    label: 'cave',
    isKnown: true,
    mayReadVoxels: (volume) => mayReadRoots(volume) || publicVolumes.has(volume.name),
    mayReadRoots,
    graphFor: (volume) => (mayReadRoots(volume) ? viewOf(volume) : undefined),
  };
}

/** Returns the name of a volume's table; undefined for a volume without a graph. */
export const tableOf = ({ opened }: ServedVolume): string | undefined =>
  opened.graph && graphenePartsOf(opened.graph).path.table;
