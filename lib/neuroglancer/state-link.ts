/**
 * Links to states, as Neuroglancer makes them.
 * Source: Neuroglancer, src/ui/url_hash_binding.ts (`encodeFragment`); for states that are stored, CAVEclient,
 * `state.build_neuroglancer_url`, and nglui, src/nglui/statebuilder/site_utils.py.
 */

/** The viewer of links, if no other is named. */
export const DEFAULT_VIEWER_SITE = 'https://neuroglancer-demo.appspot.com';
/** The viewer of links to graphs, if no other is named: CAVE's, to which users are logged in. */
export const DEFAULT_GRAPH_VIEWER_SITE = 'https://spelunker.cave-explorer.org';

/**
 * The most characters of a link. Firefox opens 2^20, Chrome and Safari more.
 */
export const MAX_LINK_LENGTH = 1_000_000;

/**
 * Returns the link that shows a state.
 *
 * @param site The address of the viewer. @default https://neuroglancer-demo.appspot.com
 * @returns undefined if it would have more than 1,000,000 characters, which browsers do not open: load the
 *   state from a file or a server instead.
 */
export function linkOfState(state: object, site: string = DEFAULT_VIEWER_SITE): string | undefined {
  const fragment = encodeURI(JSON.stringify(state)).replace(
    /[!'()*;,]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const link = `${addressOf(site)}#!${fragment}`;
  return link.length > MAX_LINK_LENGTH ? undefined : link;
}

/** Returns the link that shows a state that is stored on a state server. @param url Its address, `https://…/ID`. */
export const linkToStoredState = (url: string, site: string): string =>
  `${addressOf(site)}#!middleauth+${url}`;

/** Returns the address of a viewer without a fragment. Without a path, it ends with a slash. */
function addressOf(site: string): string {
  const address = site.trim().replace(/#.*$/s, '');
  return /^https?:\/\/[^/?]+$/i.test(address) ? `${address}/` : address;
}
