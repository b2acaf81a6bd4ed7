/**
 * What each error's `code` means, by class: the one list that the types of `errors.ts` and docs/errors.md come from. It holds text for people,
 * so nothing that runs imports it.
 */
export const ERROR_CODES = {
  PathError: {
    BAD_PATH: 'The path cannot be read as a place of a volume; the message says what is expected.',
    UNSUPPORTED_SCHEME: 'The path names a kind of storage that is not supported.',
    FORBIDDEN_ADDRESS: 'A server named an address that it must not name, such as one in a private network.',
    INSECURE_TOKEN: 'A token would have been sent without TLS to another machine. Use https://.',
  },
  InfoError: {
    NOT_FOUND: 'There is no such metadata: the path, the datastack or the version may be misspelt.',
    BAD_INFO: 'The metadata breaks its schema, or is not JSON.',
    UNSUPPORTED: 'The metadata is fine and names something that this version does not read.',
    CHANGED: 'The metadata is not what it was when the volume was resolved: resolve its path again.',
  },
  RequestError: {
    HTTP_STATUS: 'The server answered with a status that is not an answer; `status` holds it.',
    TIMEOUT: 'The server fell silent, each time it was tried. Trying again later may help.',
    CONNECTION: 'The server was not reached, or the connection broke. Trying again later may help.',
    TOO_LARGE: 'The answer is larger than anything expected here; it was not read to its end.',
    REDIRECT: 'The server redirects in a circle, too often, or to a place that must not be asked.',
    BAD_RESPONSE: 'The answer breaks HTTP, such as another range than the one asked for.',
    IO: 'A file could not be read.',
    CHANGED_UNDER_WAY: 'The object was replaced while parts of it were read, each time it was tried.',
  },
  CredentialsError: {
    NOT_FOUND: 'A token or credentials are wanted, and none were found; the message says where to put them.',
    BAD_CREDENTIALS: 'Credentials were found that are malformed or incomplete.',
    UNUSABLE: 'Their vendor refused the credentials, or did not answer.',
  },
  DecodeError: {
    TRUNCATED: 'The bytes end too early.',
    WRONG_SIZE: 'There are more or fewer bytes than the format says.',
    TOO_LARGE: 'Unpacked, the bytes would be larger than anything expected here.',
    BAD_HEADER: 'A header holds impossible numbers.',
    BAD_CHECKSUM: 'The content does not match its checksum.',
    BAD_BITSTREAM: 'The bytes are not what their compression or encoding says.',
    UNSUPPORTED: 'The bytes use a part of their format that this version does not read.',
  },
  ChunkError: {
    CHUNK_FAILED: 'A chunk could not be read or decoded; `cause` says why. Its points are `failed`.',
  },
  GraphError: {
    UNAUTHORIZED: 'The server wants a token, or another one.',
    FORBIDDEN: 'The token is valid and has no permission for this graph or call.',
    MISSING_TOS: 'The terms of service must be accepted first; the message names the page.',
    LOGIN_REDIRECT: 'The server redirects instead of answering: it wants a log-in, or the address is wrong.',
    HTTP_STATUS: 'The server answered with a status that is not an answer; `status` holds it.',
    UNKNOWN_ID: 'The graph has no such ID, or not at that timestamp.',
    BROKEN_ENDPOINT: 'The server cannot do this, or answers wrongly, in the versions known.',
    EDITS_NOT_ALLOWED: 'The volume was opened without `allowEdits: true`.',
    EDIT_UNCERTAIN:
      'The edit was sent and its answer was lost: it may have happened or not. Look before you try again.',
    BAD_REPLY: 'The answer is not what this call answers with.',
    TIMEOUT: 'The server fell silent, each time it was tried. Trying again later may help.',
    CONNECTION: 'The server was not reached, or the connection broke. Trying again later may help.',
  },
  TimestampError: {
    BAD_TIMESTAMP: 'The timestamp cannot be read, or nothing can be told of it; the message says why.',
  },
  PointError: {
    OUT_OF_BOUNDS: 'The point is outside the volume.',
    MISSING_CHUNK: 'The point is in a chunk that is not stored.',
    INVALID_POINT: 'A coordinate is not a finite number.',
    NO_ROOT: 'The server knows no root for the supervoxel at that timestamp.',
    FAILED: 'The chunk of the point could not be read; `cause` says why.',
    ROOT_FAILED: 'The supervoxel is known, its root could not be looked up; `cause` says why.',
    NOT_LOOKED_UP: 'The ID is already at or above the wanted layer: nobody was asked whether it exists.',
  },
  PartialResultError: {
    PARTIAL: 'Some chunks or roots failed. `result` holds all answers, `causes` why the others are missing.',
  },
  DeadlineError: {
    TIMEOUT: 'The time given as `timeoutMs` is over. The same call may succeed with more of it.',
  },
  VolumeClosedError: { CLOSED: 'The volume was closed while, or before, it was asked.' },
  SnapshotError: {
    NOT_FOUND: 'There is no such file.',
    DAMAGED: 'The file was changed, or is not a snapshot of a root cache.',
    FOREIGN: 'The snapshot is of another graph.',
    UNSUPPORTED: 'The snapshot was written by a later version.',
    IO: 'The file could not be read or written.',
  },
  TableError: {
    MISSING_COLUMN: 'The table has no column of that name.',
    COLUMN_EXISTS: 'An output column exists already; the message says what to do.',
    BAD_ROW: 'A row cannot be read; the message names its line.',
    BAD_FORMAT: 'The table is not in the format that it should be in.',
    UNREADABLE: 'The file cannot be read or written.',
    IN_USE: 'Another run is writing the same file.',
  },
} as const satisfies Record<string, Record<string, string>>;

/** Codes of several classes, on purpose: a caller that switches on `code` alone does the same for all of them. */
export const SHARED_CODES = {
  NOT_FOUND: 'What was named is not there.',
  UNSUPPORTED: 'It is fine, and this version does not read it.',
  TOO_LARGE: 'It is larger than anything expected here.',
  HTTP_STATUS: 'A server answered with the status in `status`.',
  TIMEOUT: 'Time is over: of a silent server, or of the call.',
  CONNECTION: 'The server was not reached, or the connection broke.',
  IO: 'A file could not be read or written.',
} as const;

type Codes = typeof ERROR_CODES;
/** The codes of a class, by its name. */
export type CodeOf<Name extends keyof Codes> = keyof Codes[Name];
