import { NotImplemented } from '../../errdefs/index.ts';

/** The network of a build's RUNs, by Docker's words. A network of one's own cannot be had in a build yet: that is said, not passed over. */
export function buildNetwork(mode: string): 'default' | 'none' | 'host' {
  switch (mode) {
    case '':
    case 'default':
    case 'bridge':
      return 'default';
    case 'none':
    case 'host':
      return mode;
    default:
      throw new NotImplemented(`builds on the network "${mode}" are not supported: only default, none and host are`);
  }
}
