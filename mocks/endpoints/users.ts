/** Who asks, and what an endpoint wants of them. */

export type Permission = 'view' | 'edit' | 'admin' | 'admin_view';

/** Whoever has a token. */
export interface MockUser {
  /** @default 1 */
  id?: number;
  /** The name that change logs and the auth service give. */
  name?: string;
  /** For the table. @default all four */
  permissions?: readonly Permission[];
  /** Superadmin: may read the change log of the whole table. @default false */
  admin?: boolean;
  /** Terms of service that were not accepted yet, in place of permissions. */
  missingTos?: {
    /** The ID of the terms of service. */
    id: number;
    /** The name of the terms of service. */
    name: string;
  };
}

/** As change logs name them. */
export interface KnownUser {
  /** The name of the user. */
  name: string;
  /** The affiliation of the user. */
  affiliation?: string;
}

/** `superadmin` wants `admin` of the user, `token` any token. */
export type RequiredPermission = Permission | 'superadmin' | 'token';

export const ALL_PERMISSIONS: readonly Permission[] = ['view', 'edit', 'admin', 'admin_view'];
/** Who asks when no tokens are wanted. */
export const ANONYMOUS_USER: MockUser = { id: 0, name: 'AUTH_DISABLED', admin: true };
