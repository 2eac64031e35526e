/** One event of a stream (HTML, 9.2 Server-sent events). */
export interface SseFrame {
  /** `event:`, or '' where the frame names none. */
  readonly event: string;
  /** The `data:` lines, joined by line feeds. */
  readonly data: Buffer;
}

/** What a stream's reader is told. */
export interface SseListener {
  frame(frame: SseFrame): void;
  /** A frame that was passed over, and why. */
  broken(cause: string): void;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const NEWLINE = Buffer.from('\n');
/** What a line of data costs in memory beside its bytes: without it, a frame of empty ones would be far over its limit. */
const LINE_BYTES = 64;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads a stream piece by piece, however it is cut. A frame that takes more than `maxBytes` is passed over and told, and
 * what follows is read as ever. Bytes stay bytes: whether the data is UTF-8 is for whoever reads it.
 */
export function createSseParser(listener: SseListener, maxBytes: number): (chunk: Buffer) => void {
  let line: Buffer[] = [];
  let lineBytes = 0;
  let frameBytes = 0;
  let oversize = false;
  let data: Buffer[] = [];
  let event = '';
  let first = true;
  let afterCr = false;

  function keep(chunk: Buffer, from: number, to: number): void {
    const bytes = to - from;
    frameBytes += bytes;
    lineBytes += bytes;
    if (frameBytes > maxBytes) {
      oversize = true;
      line = [];
      data = [];
    } else if (!oversize && bytes > 0) line.push(chunk.subarray(from, to));
  }

  function lineEnded(): void {
    if (lineBytes === 0) frameEnded();
    else if (!oversize) {
      const whole = line.length === 1 ? (line[0] as Buffer) : Buffer.concat(line);
      field(first && whole.indexOf(BOM) === 0 ? whole.subarray(3) : whole);
      line = [];
    }
    lineBytes = 0;
    first = false;
  }

  function field(whole: Buffer): void {
    const colon = whole.indexOf(COLON);
    if (colon === 0) return;
    const name = whole.toString('latin1', 0, colon === -1 ? whole.length : colon);
    const from = colon === -1 ? whole.length : whole[colon + 1] === SPACE ? colon + 2 : colon + 1;
    if (name === 'data') {
      frameBytes += LINE_BYTES;
      data.push(data.length === 0 ? whole.subarray(from) : joined(whole.subarray(from)));
    } else if (name === 'event') event = whole.toString('utf8', from);
  }

  function frameEnded(): void {
    if (oversize) listener.broken(`a frame of more than ${maxBytes} bytes`);
    else if (data.length > 0) {
      const whole = data.length === 1 ? (data[0] as Buffer) : Buffer.concat(data);
      if (whole.length > 0) listener.frame({ event, data: whole });
    }
    oversize = false;
    frameBytes = 0;
    data = [];
    event = '';
  }

  return (chunk) => {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === LF && afterCr) {
        // The second half of one line end.
        afterCr = false;
        from = at + 1;
        continue;
      }
      afterCr = byte === CR;
      if (byte !== LF && byte !== CR) continue;
      keep(chunk, from, at);
      lineEnded();
      from = at + 1;
    }
    if (from < chunk.length) keep(chunk, from, chunk.length);
  };
}

function joined(piece: Buffer): Buffer {
  return Buffer.concat([NEWLINE, piece]);
}
