/** Users of the mocked servers, and the permissions that endpoints require. */

/** A permission for the table's dataset, as middle_auth names it. */
export type Permission = 'view' | 'edit' | 'admin' | 'admin_view';

/** The owner of a token. */
export interface MockUser {
  /** ID of the user. @default 1 */
  id?: number;
  /** Name, for change logs and the auth service. @default none */
  name?: string;
  /** Permissions for the table. @default all four */
  permissions?: readonly Permission[];
  /** Whether the user is a superadmin, who may read the change log of the whole table. @default false */
  admin?: boolean;
  /**
   * Terms of service that the user has not accepted. Until then the user has no permissions.
   * @default none
   */
  missingTos?: {
    /** ID of the terms. */
    id: number;
    /** Name of the terms. */
    name: string;
  };
}

/** A user as change logs show it. */
export interface KnownUser {
  /** Name of the user. */
  name: string;
  /** Affiliation of the user. @default null */
  affiliation?: string;
}

/** What an endpoint requires of the user: a permission, to be a `superadmin`, or any `token`. */
export type RequiredPermission = Permission | 'superadmin' | 'token';

export const ALL_PERMISSIONS: readonly Permission[] = ['view', 'edit', 'admin', 'admin_view'];
/** The user of all requests when no token is needed. */
export const ANONYMOUS_USER: MockUser = { id: 0, name: 'AUTH_DISABLED', admin: true };
