// The list as text. Programs poll it, and between two changes of a container only its status text grows older: what does not
// change is made to JSON once.

import type { Container } from './container.ts';
import { summarise } from './list.ts';
import { type ContainerRecord, statusOf } from './record.ts';
import { statusText } from './status-text.ts';

/** An item's JSON in pieces; between them come the image's name, the state and the status. */
export interface ListedText {
  readonly upToImage: string;
  readonly upToState: string;
  readonly rest: string;
}

/** JSON of GET /containers/json, without sizes. */
export function listText(
  containers: readonly Container[],
  imageName: (record: ContainerRecord) => string,
  nowMs: number,
): string {
  const items = containers.map(container => {
    const { record } = container;
    container.listed ??= piecesOf(container);
    const { upToImage, upToState, rest } = container.listed;
    const image = JSON.stringify(imageName(record));
    const status = JSON.stringify(statusText(record.state, nowMs));
    return `${upToImage}${image}${upToState}"${statusOf(record.state)}","Status":${status}${rest}`;
  });
  return `[${items.join(',')}]`;
}

function piecesOf(container: Container): ListedText {
  // A mark that no value can hold stands where the changing values go.
  const text = JSON.stringify({
    ...summarise(container, () => '\u0000', 0),
    Image: '\u0000',
    State: '\u0000',
    Status: '\u0000',
  });
  const mark = JSON.stringify('\u0000');
  const [upToImage = '', upToState = '', , rest = ''] = text.split(mark);
  return { upToImage, upToState, rest };
}
