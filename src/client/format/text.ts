/** Cuts text to a display width, with an ellipsis at the cut. */
export function ellipsis(text: string, width: number): string {
  const chars = [...text];
  return chars.length <= width ? text : `${chars.slice(0, width - 1).join('')}…`;
}

/** An id without its algorithm, 12 digits of it. */
export const shortId = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
