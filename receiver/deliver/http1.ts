/** How undici is to speak with targets, whichever of its dispatchers does. */
export const HTTP1 = {
  pipelining: 1,
  maxHeaderSize: 16 * 1024,
  // The exchange has one time for all of it; these would only restart per byte.
  headersTimeout: 0,
  bodyTimeout: 0,
  allowH2: false,
} as const;
