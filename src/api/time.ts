/** Go's zero time, which an instant that never was has. */
export const zeroTime = '0001-01-01T00:00:00Z';
