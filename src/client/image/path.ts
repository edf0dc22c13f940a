/** An image's name as a part of a path: its slashes and colons stay, for routes of images take them. */
export const imageSegment = (name: string): string =>
  name.split('/').map(encodeURIComponent).join('/').replaceAll('%3A', ':').replaceAll('%40', '@');
