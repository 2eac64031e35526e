import { type StartWords, toldBy } from './run/start-error.ts';

const WORDS: StartWords = {
  listener({ address: { host, port }, code }) {
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`;
    return `The demo needs ${host}:${port}, which ${why}; free it and start again.`;
  },
  journal: (trouble) => trouble,
  file: (path, code) => `${path} cannot be used (${code}); let this user read and write it.`,
};

/** Says why `npm start` cannot go on, which has no options to choose otherwise. What is unknown is thrown on as it is. */
export function demoError(error: unknown): unknown {
  return toldBy(WORDS, error);
}
