// The error kinds of containerd (github.com/containerd/errdefs), as one class per kind. A kind travels between processes as
// its `code`, so ask `isNotFound(err)` and not `instanceof`.

/** The stable codes: containerd's kinds. */
export type ErrorCode =
  | 'InvalidArgument'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'FailedPrecondition'
  | 'PermissionDenied'
  | 'Unauthenticated'
  | 'ResourceExhausted'
  | 'Unavailable'
  | 'NotImplemented'
  | 'NotModified'
  | 'Aborted'
  | 'Canceled'
  | 'DeadlineExceeded'
  | 'DataLoss'
  | 'Internal'
  | 'Unknown';

/** An error whose kind is known. Its message says what was attempted and with what, in Docker's words where clients see it. */
export class EngineError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = code;
    this.code = code;
  }
}

function kind(code: ErrorCode) {
  return class extends EngineError {
    constructor(message: string, options?: ErrorOptions) {
      super(code, message, options);
    }
  };
}

export class InvalidArgument extends kind('InvalidArgument') {}
export class NotFound extends kind('NotFound') {}
export class AlreadyExists extends kind('AlreadyExists') {}
export class Conflict extends kind('Conflict') {}
export class FailedPrecondition extends kind('FailedPrecondition') {}
export class PermissionDenied extends kind('PermissionDenied') {}
export class Unauthenticated extends kind('Unauthenticated') {}
export class ResourceExhausted extends kind('ResourceExhausted') {}
export class Unavailable extends kind('Unavailable') {}
export class NotImplemented extends kind('NotImplemented') {}
export class NotModified extends kind('NotModified') {}
export class Aborted extends kind('Aborted') {}
export class Canceled extends kind('Canceled') {}
export class DeadlineExceeded extends kind('DeadlineExceeded') {}
export class DataLoss extends kind('DataLoss') {}
export class Internal extends kind('Internal') {}
export class Unknown extends kind('Unknown') {}

const codes: ReadonlySet<string> = new Set<ErrorCode>([
  'InvalidArgument',
  'NotFound',
  'AlreadyExists',
  'Conflict',
  'FailedPrecondition',
  'PermissionDenied',
  'Unauthenticated',
  'ResourceExhausted',
  'Unavailable',
  'NotImplemented',
  'NotModified',
  'Aborted',
  'Canceled',
  'DeadlineExceeded',
  'DataLoss',
  'Internal',
  'Unknown',
]);

/** The kind of any thrown value; the outermost kind wins. AbortError is Canceled, a system error goes by its errno, the rest is Unknown. */
export function codeOf(err: unknown): ErrorCode {
  if (!(err instanceof Error)) return 'Unknown';
  const code = (err as { code?: unknown }).code;
  if (typeof code === 'string') {
    if (codes.has(code)) return code as ErrorCode;
    const byErrno = errnoCodes[code];
    if (byErrno !== undefined) return byErrno;
  }
  if (err.name === 'AbortError') return 'Canceled';
  if (err.name === 'TimeoutError') return 'DeadlineExceeded';
  return 'Unknown';
}

export const isInvalidArgument = (err: unknown): boolean => codeOf(err) === 'InvalidArgument';
export const isNotFound = (err: unknown): boolean => codeOf(err) === 'NotFound';
export const isAlreadyExists = (err: unknown): boolean => codeOf(err) === 'AlreadyExists';
export const isConflict = (err: unknown): boolean => codeOf(err) === 'Conflict';
export const isFailedPrecondition = (err: unknown): boolean => codeOf(err) === 'FailedPrecondition';
export const isUnauthenticated = (err: unknown): boolean => codeOf(err) === 'Unauthenticated';
export const isUnavailable = (err: unknown): boolean => codeOf(err) === 'Unavailable';
export const isNotImplemented = (err: unknown): boolean => codeOf(err) === 'NotImplemented';
export const isNotModified = (err: unknown): boolean => codeOf(err) === 'NotModified';
export const isCanceled = (err: unknown): boolean => codeOf(err) === 'Canceled';

/** errno name → kind, for system errors that nobody gave a kind. */
export const errnoCodes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'NotFound',
  ESRCH: 'NotFound',
  EEXIST: 'AlreadyExists',
  EACCES: 'PermissionDenied',
  EPERM: 'PermissionDenied',
  EINVAL: 'InvalidArgument',
  ENAMETOOLONG: 'InvalidArgument',
  EBUSY: 'FailedPrecondition',
  ENOTEMPTY: 'FailedPrecondition',
  ENOSPC: 'ResourceExhausted',
  EMFILE: 'ResourceExhausted',
  ENFILE: 'ResourceExhausted',
  ENOMEM: 'ResourceExhausted',
  ENOSYS: 'NotImplemented',
  EOPNOTSUPP: 'NotImplemented',
  ETIMEDOUT: 'DeadlineExceeded',
  ECONNREFUSED: 'Unavailable',
  ECONNRESET: 'Unavailable',
};

/** kind → HTTP status, as moby's daemon/server/httpstatus does it. */
export const httpStatus: Readonly<Record<ErrorCode, number>> = {
  InvalidArgument: 400,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  FailedPrecondition: 400,
  PermissionDenied: 403,
  Unauthenticated: 401,
  ResourceExhausted: 500,
  Unavailable: 503,
  NotImplemented: 501,
  NotModified: 304,
  Aborted: 500,
  Canceled: 499,
  DeadlineExceeded: 504,
  DataLoss: 500,
  Internal: 500,
  Unknown: 500,
};

/** HTTP status → kind, for a client's side. */
export function codeOfHttpStatus(status: number): ErrorCode {
  for (const code of ['InvalidArgument', 'NotFound', 'Conflict', 'PermissionDenied', 'Unauthenticated'] as const) {
    if (httpStatus[code] === status) return code;
  }
  if (status === 304) return 'NotModified';
  if (status === 501) return 'NotImplemented';
  if (status === 503) return 'Unavailable';
  return status >= 400 && status < 500 ? 'InvalidArgument' : 'Unknown';
}

/** kind → gRPC status code (grpc/codes). */
export const grpcCode: Readonly<Record<ErrorCode, number>> = {
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Conflict: 9,
  NotModified: 9,
  Aborted: 10,
  NotImplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
};

/** The error's message with those of its causes, outermost first, joined by ": "; a message that already ends with its cause's is not doubled. */
export function describe(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  const cause = err.cause;
  if (cause === undefined || cause === null) return err.message;
  const inner = describe(cause);
  return err.message.endsWith(inner) ? err.message : `${err.message}: ${inner}`;
}
