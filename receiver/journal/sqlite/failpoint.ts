/** Places around what must not be half done. A crash there, and everywhere, must lose nothing: the tests end the process. */
export const FAILPOINTS = [
  'migration:before',
  'migration:after',
  'commit:before',
  'commit:after',
  'seal:before',
  'seal:after',
  'prune:before',
  'checkpoint:before',
  'checkpoint:after',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** Told of each place when it is reached. */
export type Reach = (point: Failpoint) => void;
