/** The frames of a WebSocket connection (RFC 6455, 5): both ends' way of writing, and one way of reading. */

/** What a frame is. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Writes one whole message; a client's is masked, by four unguessable bytes. */
export function encodeFrame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const header = Buffer.alloc(2 + extended + (mask === undefined ? 0 : 4));
  header[0] = 0x80 | opcode;
  header[1] = (mask === undefined ? 0 : 0x80) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) header.writeUInt16BE(length, 2);
  if (extended === 8) header.writeBigUInt64BE(BigInt(length), 2);
  if (mask === undefined) return Buffer.concat([header, payload]);
  mask.copy(header, 2 + extended);
  return Buffer.concat([header, masked(payload, mask)]);
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, i) => byte ^ (mask[i & 3] ?? 0)));
}

/** What a connection's reader is told. */
export interface FrameListener {
  /** A whole text or binary message. */
  message(payload: Buffer): void;
  /** Of several that came in one piece, the last: one answer is enough for all (RFC 6455, 5.5.3). */
  ping(payload: Buffer): void;
  /** The other end closes. */
  close(code: number): void;
  /** A message that was passed over, and why. */
  broken(cause: string): void;
  /** The bytes are no WebSocket frames: nothing that follows can be read. */
  lost(cause: string): void;
}

interface Head {
  readonly final: boolean;
  readonly opcode: number;
  readonly mask: Buffer | undefined;
  readonly length: number;
  readonly bytes: number;
}

/** Control frames are this short, and whole. */
const MOST_CONTROL = 125;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Reads frames piece by piece, however they are cut. A message of more than `maxBytes` is passed over and told, without
 * being held; what follows is read as ever.
 */
export function createFrameReader(listener: FrameListener, maxBytes: number): (chunk: Buffer) => void {
  let held = NOTHING;
  /** What came after `held`: joined to it only when `wanted` bytes are there, so that no byte is copied again and again. */
  let later: Buffer[] = [];
  let laterBytes = 0;
  let wanted = 0;
  /** The fragments so far, in a buffer with room for more: small ones must not cost an object each. */
  let message = NOTHING;
  let messageBytes = 0;
  /** What the message counts for: its fragments' bytes, and one for each that is empty. */
  let counted = 0;
  let ping: Buffer | undefined;
  let open = false;
  let oversize = false;
  let skip = 0;
  let skipFinal = false;
  let lost = false;

  function lose(cause: string): void {
    lost = true;
    held = NOTHING;
    message = NOTHING;
    listener.lost(cause);
  }

  function step(): boolean {
    const head = headOf(held);
    if (head === undefined) {
      wanted = held.length + 1;
      return false;
    }
    const fault = faultOf(head, open);
    if (fault !== undefined) {
      lose(fault);
      return false;
    }
    if (head.opcode < OPCODE.close && counted + head.length > maxBytes) {
      startSkipping(head);
      return true;
    }
    const end = head.bytes + head.length;
    if (held.length < end) {
      wanted = end;
      return false;
    }
    const raw = held.subarray(head.bytes, end);
    held = held.subarray(end);
    take(head, head.mask === undefined ? raw : masked(raw, head.mask));
    return !lost;
  }

  function startSkipping(head: Head): void {
    held = held.subarray(head.bytes);
    message = NOTHING;
    messageBytes = 0;
    oversize = true;
    open = true;
    skip = head.length;
    skipFinal = head.final;
  }

  function take(head: Head, payload: Buffer): void {
    if (head.opcode === OPCODE.ping) ping = payload;
    else if (head.opcode === OPCODE.close)
      listener.close(payload.length >= 2 ? payload.readUInt16BE(0) : 1005);
    else if (head.opcode < OPCODE.close) {
      open = true;
      counted += Math.max(payload.length, 1);
      if (!oversize) append(payload);
      if (head.final) messageEnded();
    }
  }

  function append(payload: Buffer): void {
    const bytes = messageBytes + payload.length;
    // Most messages are one frame, and need no copy.
    if (messageBytes === 0) message = payload;
    else if (bytes > message.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(2 * message.length, bytes), maxBytes));
      message.copy(larger, 0, 0, messageBytes);
      message = larger;
    }
    if (messageBytes > 0) payload.copy(message, messageBytes);
    messageBytes = bytes;
  }

  function messageEnded(): void {
    const whole = message.subarray(0, messageBytes);
    const tooLarge = oversize;
    message = NOTHING;
    messageBytes = 0;
    counted = 0;
    open = false;
    oversize = false;
    if (tooLarge) listener.broken(`a message of more than ${maxBytes} bytes`);
    else listener.message(whole);
  }

  function skipped(): boolean {
    const passed = Math.min(skip, held.length);
    held = held.subarray(passed);
    skip -= passed;
    if (skip > 0) return false;
    if (skipFinal) messageEnded();
    skipFinal = false;
    return true;
  }

  function readHeld(): void {
    while (held.length > 0 || skipFinal) {
      if (skip > 0 || skipFinal) {
        if (!skipped()) return;
      } else if (!step()) return;
    }
  }

  function tellPing(): void {
    const last = ping;
    ping = undefined;
    if (last !== undefined) listener.ping(last);
  }

  return (chunk) => {
    if (lost) return;
    later.push(chunk);
    laterBytes += chunk.length;
    if (held.length + laterBytes < wanted) return;
    held = held.length === 0 && later.length === 1 ? chunk : Buffer.concat([held, ...later]);
    later = [];
    laterBytes = 0;
    wanted = 0;
    readHeld();
    tellPing();
  };
}

function headOf(held: Buffer): Head | undefined {
  if (held.length < 2) return undefined;
  const [first = 0, second = 0] = held;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const isMasked = (second & 0x80) !== 0;
  const bytes = 2 + extended + (isMasked ? 4 : 0);
  if (held.length < bytes) return undefined;
  const length =
    extended === 0 ? short : extended === 2 ? held.readUInt16BE(2) : Number(held.readBigUInt64BE(2));
  const mask = isMasked ? held.subarray(bytes - 4, bytes) : undefined;
  // The three reserved bits count as part of the opcode, so that they make it unknown.
  return { final: (first & 0x80) !== 0, opcode: first & 0x7f, mask, length, bytes };
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(OPCODE));

function faultOf({ final, opcode, length }: Head, open: boolean): string | undefined {
  if (!KNOWN.has(opcode)) return `a frame of unknown kind ${opcode}`;
  if (opcode >= OPCODE.close) {
    return final && length <= MOST_CONTROL ? undefined : 'a control frame that is too long or in pieces';
  }
  if (!Number.isSafeInteger(length)) return 'a frame of impossible length';
  if ((opcode === OPCODE.continuation) === open) return undefined;
  return open ? 'a message within another' : 'a continuation of nothing';
}
