import { hash, timingSafeEqual } from 'node:crypto';
import { type Compiled, compiled, type Finding } from '../errors.ts';
import type { KeyMaterial } from '../routing/table.ts';
import { noMatch, withoutLineEnds } from './key.ts';
import type { CodeProof } from './scheme.ts';
import type { SignedRequest } from './verifier.ts';

/** How a token is shown. Texts have one character per byte. */
export interface TokenForm {
  /** The token of a request; `undefined` where it shows none. */
  readonly shown: (request: SignedRequest) => string | undefined;
  /** Where it should be, as the end of a sentence: `header X-Token`. */
  readonly place: string;
  /** The headers that show it. */
  readonly show: (token: string) => Record<string, string>;
  /** What is wrong with a token that a Secret holds, as the end of a sentence. */
  readonly fault?: (token: string) => string | undefined;
}

interface Token {
  readonly name: string;
  readonly text: string;
  readonly digest: Buffer;
  readonly notAfter: number;
}

const CONTROLS = /(?!\t)\p{Cc}/u;

/** Digests are compared: they have one length, whatever is shown. */
function digestOf(text: string): Buffer {
  return hash('sha256', Buffer.from(text, 'latin1'), 'buffer');
}

function readTokens(keys: readonly KeyMaterial[], form: TokenForm, path: string): Compiled<readonly Token[]> {
  const findings: Finding[] = [];
  const tokens: Token[] = [];
  for (const [i, key] of keys.entries()) {
    const text = tokenText(key);
    const fault =
      text === ''
        ? 'is empty'
        : CONTROLS.test(text)
          ? 'holds a control character, which no header carries'
          : form.fault?.(text);
    if (fault === undefined) {
      tokens.push({ name: key.name, text, digest: digestOf(text), notAfter: key.notAfter ?? Infinity });
    } else {
      const message = `the value of key "${key.name}" ${fault}; put the token as the sender shows it into the Secret`;
      findings.push({ field: `${path}.secrets[${i}]`, message });
    }
  }
  return findings.length > 0 ? { ok: false, findings } : compiled(tokens);
}

/** A token as it stands in its Secret, one character per byte; a line feed at its end is its file's and not its own. */
export function tokenText(key: KeyMaterial): string {
  return withoutLineEnds(Buffer.from(key.secret, 'base64').toString('latin1'));
}

/** Proved by showing what both sides know. Every key in force is compared, in constant time. */
export function tokenProof(form: TokenForm): CodeProof {
  return {
    compile(entry, path) {
      const tokens = readTokens(entry.keys, form, path);
      if (!tokens.ok) return tokens;
      return compiled({
        verify(request, now) {
          const shown = form.shown(request);
          if (shown === undefined) return { ok: false, cause: `${form.place} is missing` };
          const digest = digestOf(shown);
          let matched: string | undefined;
          for (const token of tokens.value) {
            if (now < token.notAfter && timingSafeEqual(digest, token.digest)) matched ??= token.name;
          }
          if (matched !== undefined) return { ok: true, key: matched };
          let ended: string | undefined;
          for (const token of tokens.value) {
            if (now >= token.notAfter && timingSafeEqual(digest, token.digest)) ended ??= token.name;
          }
          return { ok: false, cause: noMatch(ended) };
        },
      });
    },
    compileSigner(keys, path) {
      const tokens = readTokens(keys, form, path);
      if (!tokens.ok) return tokens;
      return compiled({
        sign({ timestamp }) {
          const first = tokens.value.find((token) => timestamp < token.notAfter);
          return first === undefined ? undefined : form.show(first.text);
        },
      });
    },
  };
}
