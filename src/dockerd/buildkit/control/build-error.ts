// A failed build on the wire: a google.rpc.Status whose details say where in the Dockerfile it happened, so that clients show the
// lines (buildkit errdefs, util/grpcerrors).

import { rangeOf } from '../../../build/index.ts';
import { codeOf, EngineError, grpcCode, isCanceled } from '../../../errdefs/index.ts';
import type { DetailedError } from '../grpc/server.ts';
import { Status } from '../proto/buildkit.ts';
import { encode, type MessageOf } from '../proto/wire.ts';

/** Its value is JSON, as its name says. */
const sourceType = 'github.com/moby/buildkit/errdefs.Source+json';
const unknownCode = 2;

export class BuildError extends EngineError implements DetailedError {
  readonly status: DetailedError['status'];

  constructor(cause: unknown, filename: string, text: string) {
    const message = cause instanceof Error ? cause.message : String(cause);
    super(codeOf(cause), message);
    // Any code but this one would be shown before the message.
    const code = isCanceled(cause) ? grpcCode.Canceled : unknownCode;
    const range = rangeOf(cause);
    const details =
      range === undefined
        ? []
        : [
            {
              typeUrl: sourceType,
              value: Buffer.from(
                JSON.stringify({
                  info: { filename, data: Buffer.from(text).toString('base64'), language: 'Dockerfile' },
                  ranges: [{ start: { line: range.start }, end: { line: range.end } }],
                }),
              ),
            },
          ];
    this.status = { code, message, encoded: encode(Status, { code, message, details }) };
  }
}

/** The error with which a client ended its build: it is told the same again. */
export class ReturnedError extends EngineError implements DetailedError {
  readonly status: DetailedError['status'];

  private constructor(status: DetailedError['status']) {
    super('Unknown', status.message);
    this.status = status;
  }

  static of(error: MessageOf<typeof Status>): ReturnedError {
    return new ReturnedError({ code: error.code, message: error.message, encoded: encode(Status, error as never) });
  }
}
