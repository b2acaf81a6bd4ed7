/**
 * Views of one volume with tokens of other people: for a service whose callers look up roots with their own tokens.
 * Not part of the public API.
 */
import type { TokenViewOptions } from './connect-graph.ts';
import { graphenePartsOf, type GrapheneVolume } from './graphene-volume.ts';

/**
 * Returns a view of a volume whose requests to the graph server carry another token. Both share the voxels with all
 * their caches, the worker threads, the connections and the clock. The view has a root batcher, an API client and a
 * root cache of its own, so no root that was looked up with one token is answered to another one. It makes no edits.
 * The versions of the datastack are requested with the volume's own token.
 *
 * Closing a view aborts its calls and leaves the volume open. Closing the volume closes all its views.
 * @throws PathError INSECURE_TOKEN for a server that is reached neither over TLS nor on loopback;
 *   VolumeClosedError.
 */
export const viewWithToken = (
  volume: GrapheneVolume,
  token: string,
  options: TokenViewOptions,
): GrapheneVolume => graphenePartsOf(volume).createView(token, options);
