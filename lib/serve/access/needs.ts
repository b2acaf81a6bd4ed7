/** What each route needs of its caller. */

/**
 * What a request must be allowed to do:
 * - `nothing`: everybody may ask, and no token is looked at.
 * - `caller`: everybody may ask, and the answer depends on who does.
 * - `service`: a caller who has shown who they are.
 * - `voxels`, `roots`: the right to voxels or roots of the volume that the path names as `:name` or `:dataset`.
 */
export type RouteNeeds = 'nothing' | 'caller' | 'service' | 'voxels' | 'roots';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route needs of its caller, if its path does not say it. */
    needs?: RouteNeeds;
  }
}

/** A route, as it is registered. */
export interface RouteOfService {
  url?: string;
  method?: string | readonly string[];
  config?: { needs?: RouteNeeds };
}

const BY_URL: Readonly<Record<string, RouteNeeds>> = {
  '/v1': 'caller',
  '/info': 'caller',
  '/metrics': 'service',
  '/v1/:name/roots': 'roots',
  '/v1/:name/latest': 'roots',
};

/**
 * Returns what a route needs: what its `config` says, else what its path says. A path that names a volume needs the
 * right to its voxels. Another path is open only to be read.
 * @throws TypeError for another path that takes a body, so that no such route is open by mistake.
 */
export function needsOf({ url = '', method = 'GET', config }: RouteOfService): RouteNeeds {
  if (config?.needs !== undefined) return config.needs;
  const plain = url.replace(/(?<=.)\/$/, '');
  if (Object.hasOwn(BY_URL, plain)) return BY_URL[plain];
  if (/\/:(name|dataset)\b/.test(url)) return 'voxels';
  const other = [method].flat().find((each) => !['GET', 'HEAD', 'OPTIONS'].includes(each));
  if (other === undefined) return 'nothing';
  throw new TypeError(`the route ${other} ${url} must say what it needs: config.needs`);
}
