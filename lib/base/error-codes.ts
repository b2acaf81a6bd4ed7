/**
 * What each error `code` means, by class. The types in `errors.ts` and the page docs/errors.md come from this
 * list. It is text for people, so the running package imports only its types.
 */
export const ERROR_CODES = {
  PathError: {
    BAD_PATH: 'The path is not a valid address of a volume; the message says what is expected.',
    UNSUPPORTED_SCHEME: 'The path names a kind of storage that is not supported.',
    FORBIDDEN_ADDRESS:
      'An address or a folder is not safe to use: a server named an address in a private network, or others can write to the folder.',
    INSECURE_TOKEN: 'A token would have been sent to another machine without TLS. Use https://.',
  },
  InfoError: {
    NOT_FOUND: 'The metadata was not found: the path, the datastack or the version may be misspelt.',
    BAD_INFO: 'The metadata breaks its schema, or is not JSON.',
    UNSUPPORTED: 'The metadata is valid, but names something that this version does not read.',
    NOT_OPENED: 'Another volume of a look-up of a table cannot be opened; `cause` says why.',
    CHANGED: 'The metadata has changed since the volume was resolved. Resolve its path again.',
  },
  RequestError: {
    HTTP_STATUS: 'The server answered with an HTTP status that means failure; `status` holds it.',
    TIMEOUT: 'The server stopped responding in every attempt. A later retry may help.',
    CONNECTION: 'The server was not reached, or the connection broke. A later retry may help.',
    TOO_LARGE: 'The answer is larger than any valid answer, so it was not read to its end.',
    REDIRECT: 'The server redirects in a circle, too often, or to an address that must not be requested.',
    BAD_RESPONSE: 'The answer breaks the rules of HTTP, for example with a range that was not requested.',
    IO: 'A file could not be read.',
    CHANGED_UNDER_WAY: 'The object was replaced while its parts were read, in every attempt.',
    DATA_MISSING:
      'A data file that an OCDBT database refers to is not there: it was deleted, or the database was copied in part.',
  },
  CredentialsError: {
    NOT_FOUND: 'A token or credentials are needed, and none were found; the message says where to put them.',
    BAD_CREDENTIALS: 'The credentials that were found are malformed or incomplete.',
    UNUSABLE: 'The cloud provider refused the credentials, or did not answer.',
  },
  DecodeError: {
    TRUNCATED: 'The bytes end too early.',
    WRONG_SIZE: 'There are more or fewer bytes than the format requires.',
    TOO_LARGE: 'The bytes would decompress to more than any valid content.',
    BAD_HEADER: 'A header holds impossible numbers.',
    BAD_CHECKSUM: 'The content does not match its checksum.',
    BAD_BITSTREAM: 'The bytes do not follow the format of their compression or encoding.',
    UNSUPPORTED: 'The bytes use a part of their format that this version does not read.',
  },
  ChunkError: {
    CHUNK_FAILED:
      'A chunk could not be read or decoded; `cause` says why. Its points have the status `failed`.',
  },
  GraphError: {
    UNAUTHORIZED: 'The server requires a token, or did not accept this one.',
    FORBIDDEN: 'The token is valid, but has no permission for this graph or call.',
    MISSING_TOS: 'The terms of service must be accepted first; the message names the page.',
    LOGIN_REDIRECT:
      'The server redirects instead of answering: it requires a log-in, or the address is wrong.',
    HTTP_STATUS: 'The server answered with an HTTP status that means failure; `status` holds it.',
    UNKNOWN_ID: 'The graph does not have this ID, or did not have it at that timestamp.',
    BROKEN_ENDPOINT: 'No known version of the server can do this, or all of them answer it wrongly.',
    EDITS_NOT_ALLOWED: 'The volume was opened without `allowEdits: true`.',
    EDIT_UNCERTAIN:
      'The edit was sent and its answer was lost, so it may or may not have been made. Check before you retry.',
    BAD_REPLY: 'The answer is not a valid answer to this call.',
    TIMEOUT: 'The server stopped responding in every attempt. A later retry may help.',
    CONNECTION: 'The server was not reached, or the connection broke. A later retry may help.',
  },
  TimestampError: {
    BAD_TIMESTAMP: 'The timestamp is malformed, or the graph has no answers for it; the message says why.',
  },
  PointError: {
    OUT_OF_BOUNDS: 'The point is outside the volume.',
    MISSING_CHUNK: 'The point is in a chunk that is not stored.',
    INVALID_POINT: 'A coordinate is not a finite number.',
    NO_ROOT: 'The server has no root for the supervoxel at that timestamp.',
    STALE_SUPERVOXEL:
      'The supervoxel was split, so its ID has no valid root at that timestamp. Read its voxel again.',
    FAILED: 'The chunk of the point could not be read; `cause` says why.',
    ROOT_FAILED: 'The supervoxel is known, but its root could not be looked up; `cause` says why.',
    NOT_LOOKED_UP:
      'The ID is already at or above the stop layer, so it was not sent to the server, and may not exist.',
  },
  PartialResultError: {
    PARTIAL:
      'Some chunks or roots failed. `result` holds all answers; `causes` says why the others are missing.',
  },
  DeadlineError: { TIMEOUT: 'The call did not end within its `timeoutMs`. It may succeed with more time.' },
  VolumeClosedError: { CLOSED: 'The volume was closed before the call, or during it.' },
  SnapshotError: {
    NOT_FOUND: 'The file was not found.',
    DAMAGED: 'The file is damaged, or is not a snapshot of a root cache.',
    FOREIGN: 'The snapshot belongs to another graph.',
    UNSUPPORTED: 'The snapshot was written by a later version.',
    IO: 'The file could not be read or written.',
  },
  TableError: {
    MISSING_COLUMN: 'The table has no column of that name.',
    COLUMN_EXISTS: 'An output column already exists; the message says what to do.',
    BAD_ROW: 'A row cannot be read; the message names its line.',
    BAD_FORMAT: 'The table is not in the expected format.',
    UNREADABLE: 'The file cannot be read or written.',
    BAD_TABLE_PATH:
      'A name of a table cannot be used: a pattern finds no file, a file is named twice or would be overwritten, or nothing can be written there.',
    IN_USE: 'Another run is writing the same file, or another program has written the object meanwhile.',
    PACKAGE_MISSING: 'The format needs a package that is not installed; the message names it.',
    TOO_MANY_FAILURES:
      'More points need attention than `maxFailures` (`--max-failures`) allows. No table is written.',
  },
  StateError: {
    BAD_STATE: 'The text is not a Neuroglancer state, and not a link to one.',
    NO_LAYER: 'The state has no annotation layer, or none of that name.',
    BAD_LAYER:
      'Where the annotations of a layer lie cannot be told: its dimensions, units or transform are missing or invalid.',
    BAD_ANNOTATION: 'An annotation cannot be read; the message names its layer and its ID.',
    UNSUPPORTED: 'The points are not in the state: a link, or a source, names where they are.',
    TOO_LARGE: 'The state is larger than any state that a viewer could show.',
  },
  JobError: {
    JOB_MISSING: 'The folder holds no job, or one whose planning did not end.',
    JOB_EXISTS: 'The folder already holds a job, or other files.',
    JOB_VERSION: 'Another version of this program made the job, and this version cannot read it.',
    JOB_DAMAGED: 'A file of the job is damaged; the message says what to do.',
    JOB_INCOMPLETE:
      'Some tasks of the job are not done, or a step of it was stopped; the message says what to do.',
    JOB_CANCELLED: 'The job was cancelled.',
    INPUT_CHANGED: 'An input has changed since the job was planned; the message says what it was.',
  },
  AccessError: {
    NO_TOKEN: 'The service needs a token: send the header `Authorization: Bearer TOKEN`.',
    BAD_TOKEN: 'The service does not know the token, or it has expired or was revoked.',
    NOT_ALLOWED: 'The token is valid, and may not ask this of this volume; the message says what it may.',
    TERMS_NOT_ACCEPTED: 'Terms of service must be accepted first; the message names the page.',
    UNENCRYPTED_TOKEN: 'The token came over a connection without TLS, so it was refused. Make a new one.',
    FOREIGN_HOST: 'The request was meant for a host that the service does not answer for.',
    FOREIGN_ORIGIN: 'A web page of another origin sent the request.',
    BAD_REQUEST:
      'The head of the request breaks the rules of HTTP, or its path is not one that clients send.',
    AUTH_UNAVAILABLE: 'The auth service did not answer, so nobody can be let in. A later retry may help.',
    UNSAFE_SETTINGS:
      'The service does not start like this: it would let in anybody. The message says what to add.',
    BAD_TOKEN_FILE: 'The file of tokens cannot be used; the message names the line, or the mode of the file.',
  },
} as const satisfies Record<string, Record<string, string>>;

/**
 * Codes that several classes share on purpose: a caller that switches on `code` alone can treat all of them
 * in the same way.
 */
export const SHARED_CODES = {
  NOT_FOUND: 'The path, file or credentials were not found.',
  UNSUPPORTED: 'The content is valid, but this version does not read it.',
  TOO_LARGE: 'The content is larger than any valid content.',
  HTTP_STATUS: 'A server answered with the status in `status`.',
  TIMEOUT: 'The server stopped responding, or the call exceeded its time limit.',
  CONNECTION: 'The server was not reached, or the connection broke.',
  IO: 'A file could not be read or written.',
} as const;

type Codes = typeof ERROR_CODES;
/** The codes of a class, by its name. */
export type CodeOf<Name extends keyof Codes> = keyof Codes[Name];
