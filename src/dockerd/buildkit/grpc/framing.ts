// gRPC's length-prefixed messages: one byte of flags, four of length, the message (grpc PROTOCOL-HTTP2.md).

import { InvalidArgument, ResourceExhausted } from '../../../errdefs/index.ts';

/** BuildKit's own limit for received messages. */
export const maxMessageBytes = 16 * 1024 * 1024;

export function frame(message: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(5 + message.length);
  out[0] = 0;
  out.writeUInt32BE(message.length, 1);
  out.set(message, 5);
  return out;
}

/** Cuts a stream of chunks into messages. */
export async function* messages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let held = 0;
  let wanted = 5;
  let inHeader = true;
  for await (const chunk of chunks) {
    parts.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const all = parts.length === 1 ? Buffer.from(parts[0]!) : Buffer.concat(parts, held);
      const head = all.subarray(0, wanted);
      const rest = all.subarray(wanted);
      parts = rest.length === 0 ? [] : [rest];
      held = rest.length;
      if (inHeader) {
        if (head[0] !== 0) throw new InvalidArgument('compressed gRPC messages are not supported');
        wanted = head.readUInt32BE(1);
        if (wanted > maxMessageBytes)
          throw new ResourceExhausted(`gRPC message of ${wanted} bytes, the limit is ${maxMessageBytes}`);
        inHeader = false;
      } else {
        yield head;
        wanted = 5;
        inHeader = true;
      }
    }
  }
  if (held > 0 || !inHeader) throw new InvalidArgument('gRPC stream ended inside a message');
}
