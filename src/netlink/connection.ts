// A netlink socket as this part needs it, and the conversation on it.

import { DataLoss } from '../errdefs/index.ts';
import { type Acknowledgement, decodeAcknowledgement, NetlinkError } from './errors.ts';
import {
  decodeMessages,
  encodeMessages,
  flag,
  messageType,
  type NetlinkMessage,
  type ReceivedMessage,
} from './message.ts';

export const protocol = { route: 0, netfilter: 12 } as const;

/**
 * A netlink socket that talks to the kernel. The kernel works on a request while it is being sent, so that everything it has
 * to say is there when the send returns: `request` sends once, then receives until nothing is left.
 */
export interface NetlinkConnection {
  /** The datagrams received, in order and end to end. Throws a system error when the socket fails. */
  request(bytes: Uint8Array): Uint8Array;
  close(): void;
}

/** One refused message of several. */
export interface Refusal {
  readonly message: NetlinkMessage;
  readonly acknowledgement: Acknowledgement;
}

/** Numbers the messages, matches the answers. */
export class NetlinkClient implements Disposable {
  readonly #connection: NetlinkConnection;
  #sequence = 1;

  constructor(connection: NetlinkConnection) {
    this.#connection = connection;
  }

  /** Sends messages at once, gives what the kernel answered besides acknowledgements; the first refused message throws. */
  send(messages: readonly NetlinkMessage[]): ReceivedMessage[] {
    const { answers, refusals } = this.exchange(messages);
    const first = refusals[0];
    if (first !== undefined) throw new NetlinkError(first.message.what, first.acknowledgement);
    return answers;
  }

  /** Sends messages at once and tells which were refused. */
  exchange(messages: readonly NetlinkMessage[]): { answers: ReceivedMessage[]; refusals: Refusal[] } {
    const first = this.#sequence;
    this.#sequence = (first + messages.length) % 0x7fffffff || 1;
    const received = decodeMessages(this.#connection.request(encodeMessages(messages, first)));
    const answers: ReceivedMessage[] = [];
    const refusals: Refusal[] = [];
    for (const message of received) {
      const asked = messages[message.sequence - first];
      if (asked === undefined) continue; // an answer to a request that an earlier failure cut short
      if (message.type === messageType.error || message.type === messageType.done) {
        const acknowledgement = decodeAcknowledgement(message);
        if (acknowledgement.errno !== 0) refusals.push({ message: asked, acknowledgement });
      } else if (message.type === messageType.overrun) {
        throw new DataLoss(`netlink lost answers to: ${asked.what}`);
      } else {
        answers.push(message);
      }
    }
    return { answers, refusals };
  }

  /** A dump, asked again when the table changed under it. */
  dump(message: NetlinkMessage): ReceivedMessage[] {
    for (let attempt = 0; ; attempt++) {
      const answers = this.send([message]);
      if (attempt === 3 || answers.every(answer => (answer.flags & flag.dumpInterrupted) === 0)) return answers;
    }
  }

  close(): void {
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
