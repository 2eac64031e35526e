import { createHmac, hash } from 'node:crypto';

interface Algorithm {
  readonly node: 'sha1' | 'sha256' | 'sha512';
  readonly block: number;
  readonly digest: number;
}

const ALGORITHMS: Readonly<Record<'SHA1' | 'SHA256' | 'SHA512', Algorithm>> = {
  SHA1: { node: 'sha1', block: 64, digest: 20 },
  SHA256: { node: 'sha256', block: 64, digest: 32 },
  SHA512: { node: 'sha512', block: 128, digest: 64 },
};

/** Up to here a message is copied behind the pad; longer ones stream, which costs a set-up but no copy. */
const SCRATCH = 4096;

/** A key prepared for HMAC (RFC 2104): its two padded blocks, the outer with room for the inner digest. */
export interface PaddedKey {
  readonly bytes: Buffer;
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** The HMAC of one message under a key, as text. */
export type Digest = (key: PaddedKey, encoding: 'hex' | 'base64' | 'base64url') => string;

/** HMAC with one algorithm. */
export interface Mac {
  /** Bytes. */
  readonly digestLength: number;
  prepare(key: Buffer): PaddedKey;
  /** Takes a message: a text (one byte per character), a body, a text. Its digests are asked for before the next. */
  over(head: string, body: Buffer, tail: string): Digest;
}

/**
 * Two one-shot hashes over precomputed pads, whose inner digest never becomes an object of its own: for small bodies a
 * fraction of what a Hmac object costs. One per verifier; its buffer serves every message, since nothing awaits between
 * a message and its digests.
 */
export function createMac(name: keyof typeof ALGORITHMS): Mac {
  const { node, block, digest: digestLength } = ALGORITHMS[name];
  let scratch: Buffer | undefined;

  const small = (message: Buffer): Digest => {
    return (key, encoding) => {
      message.set(key.inner, 0);
      key.outer.write(hash(node, message, 'binary'), block, 'latin1');
      return hash(node, key.outer, encoding);
    };
  };

  return {
    digestLength,

    prepare(key) {
      const short = key.length > block ? hash(node, key, 'buffer') : key;
      const inner = Buffer.alloc(block, 0x36);
      const outer = Buffer.alloc(block + digestLength, 0x5c);
      for (const [i, byte] of short.entries()) {
        inner[i] = 0x36 ^ byte;
        outer[i] = 0x5c ^ byte;
      }
      return { bytes: key, inner, outer };
    },

    over(head, body, tail) {
      const size = block + head.length + body.length + tail.length;
      if (size > SCRATCH) {
        return (key, encoding) =>
          createHmac(node, key.bytes)
            .update(head, 'latin1')
            .update(body)
            .update(tail, 'latin1')
            .digest(encoding);
      }
      scratch ??= Buffer.allocUnsafeSlow(SCRATCH);
      const at = block + (head === '' ? 0 : scratch.write(head, block, 'latin1'));
      scratch.set(body, at);
      if (tail !== '') scratch.write(tail, at + body.length, 'latin1');
      return small(scratch.subarray(0, size));
    },
  };
}
