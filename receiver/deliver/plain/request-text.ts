import type { Dispatcher } from 'undici';

/** A POST as it is handed to whoever sends it. */
export interface PlainRequest {
  readonly method: Dispatcher.HttpMethod;
  /** Path and query. */
  readonly path: string;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: Buffer;
}

/** Headers that bear on how a message is framed or where it goes: whoever sends them has undici judge them. */
const FRAMING: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** RFC 9110 5.5: visible characters and white space, each one byte. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const PATH = /^\/[\x21-\x7e]*$/;

/** Writes the head of a request, in Latin-1; undefined where it is not plain, whatever else it may be. */
export type WriteHead = (request: PlainRequest) => string | undefined;

/** Makes a writer for requests to one host, which is `name` or `name:port`. */
export function createHeadWriter(host: string): WriteHead {
  const begin = ` HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  /**
   * By their places, the names and values of the last request that was plain: those of the next are mostly the same, and
   * need no second look.
   */
  let last: readonly string[] = [];

  return ({ method, path, headers, body }) => {
    if (!PATH.test(path)) return undefined;
    let text = `${method} ${path}${begin}`;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] as string;
      const value = headers[i + 1] as string;
      if (name !== last[i] && !isPlainName(name)) return undefined;
      if (value !== last[i + 1] && !VALUE.test(value)) return undefined;
      text += `${name}: ${value}\r\n`;
    }
    last = headers;
    return `${text}content-length: ${body.length}\r\n\r\n`;
  };
}

function isPlainName(name: string): boolean {
  return TOKEN.test(name) && !FRAMING.has(name.toLowerCase());
}
