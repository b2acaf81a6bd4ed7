/**
 * The name of this package in the logs of servers. A spec keeps its version equal to the one in package.json.
 */
export const USER_AGENT = 'graphene-points/0.1.0';
