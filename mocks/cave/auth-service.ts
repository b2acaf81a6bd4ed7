/**
 * Endpoints of the CAVE auth service: users, their tokens and permissions. The form of the permissions follows
 * middle_auth_client.
 */
import type { EndpointRequest } from '../endpoints/endpoint.ts';
import { ALL_PERMISSIONS, type MockUser } from '../endpoints/users.ts';
import type { CaveContext, CaveEndpoint } from './cave-endpoint.ts';

export const AUTH_ENDPOINTS: readonly CaveEndpoint[] = [
  { path: /^\/auth\/api\/v1\/user\/token$/, answer: ownTokens },
  { path: /^\/auth\/api\/v1\/user\/cache$/, answer: ownPermissions },
  { path: /^\/auth\/api\/v1\/username$/, answer: userNames },
  { path: /^\/auth\/api\/v1\/user$/, answer: users },
  {
    path: /^\/auth\/api\/v1\/service\/(?<service>[^/]+)\/table\/(?<table>[^/]+)\/dataset$/,
    answer: datasetOfTable,
  },
  {
    path: /^\/auth\/api\/v1\/table\/(?<table>[^/]+)\/has_public$/,
    answer: (context, { parts }) => context.hasPublicRoots && isTable(context, parts.table),
  },
];

const isTable = ({ table }: CaveContext, name: string): boolean => decodeURIComponent(name) === table;

/** The dataset whose permissions a table needs. Other services and tables get status 404. */
function datasetOfTable(context: CaveContext, { parts }: EndpointRequest): unknown {
  return parts.service === 'pychunkedgraph' && isTable(context, parts.table) ? context.dataset : undefined;
}

function ownTokens({ tokens }: CaveContext, { user }: EndpointRequest): unknown {
  const own = Object.keys(tokens).filter((token) => tokens[token] === user);
  return own.map((token) => ({ id: idOf(user), user_id: idOf(user), token }));
}

function ownPermissions({ dataset }: CaveContext, { user }: EndpointRequest): unknown {
  const granted = user.permissions ?? ALL_PERMISSIONS,
    permissions = user.missingTos ? [] : granted;
  const missing = user.missingTos
    ? [{ dataset_id: 1, dataset_name: dataset, tos_id: user.missingTos.id, tos_name: user.missingTos.name }]
    : [];
  return {
    ...userToJson(user),
    service_account: false,
    groups: [],
    permissions: {},
    permissions_v2: { [dataset]: permissions },
    permissions_v2_ignore_tos: { [dataset]: granted },
    missing_tos: missing,
  };
}

function userNames(context: CaveContext, request: EndpointRequest): unknown {
  return requestedUsers(context, request).map((user) => ({ id: idOf(user), name: nameOf(user) }));
}

function users(context: CaveContext, request: EndpointRequest): unknown {
  return requestedUsers(context, request).map((user) => ({ ...userToJson(user), pi: '' }));
}

/** The users that the parameter `id` lists, such as `101,102`. Unknown IDs are left out. */
function requestedUsers({ tokens }: CaveContext, { query }: EndpointRequest): MockUser[] {
  const known = Object.values(tokens);
  return (query.get('id') ?? '')
    .split(',')
    .flatMap((id) => known.find((user) => String(idOf(user)) === id) ?? []);
}

const idOf = ({ id = 1 }: MockUser): number => id;
const nameOf = (user: MockUser): string => user.name ?? `user ${idOf(user)}`;

const userToJson = (user: MockUser) => ({
  id: idOf(user),
  name: nameOf(user),
  email: `${idOf(user)}@example.org`,
  admin: user.admin ?? false,
});
