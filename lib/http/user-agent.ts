/** What servers see in their logs; a spec keeps the version equal to package.json's. */
export const USER_AGENT = 'graphene-points/0.1.0';
