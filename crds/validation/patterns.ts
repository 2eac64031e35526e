/** A DNS label (RFC 1123): the name of a namespace. */
export const LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
/** A DNS subdomain: the name of most objects. */
export const SUBDOMAIN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

const OBJECT_NAME =
  'lower-case letters, digits, - and ., with a letter or digit at both ends and beside each ., like pack-orders';

/** Patterns that authors meet often, in words. */
const IN_WORDS: Readonly<Record<string, string>> = {
  [LABEL]: 'lower-case letters, digits and -, with a letter or digit at both ends, like my-shop',
  [SUBDOMAIN]: OBJECT_NAME,
  // The definitions' own, for the names of objects.
  '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$': OBJECT_NAME,
  // A job's type.
  '^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)*$':
    'words of lower-case letters, digits and _, each with a letter first, joined by ., like order.pack',
};

/** What is told of a text that does not fit a pattern. */
export function unlike(pattern: string): string {
  const words = IN_WORDS[pattern];
  return words === undefined ? `must look like ${pattern}` : `must be ${words}`;
}
