import type { Socket } from 'node:net';
import type { Admission } from '../admission.ts';
import type { HotPath, Recorder } from '../intake.ts';
import { FrontConnection, type FrontParts } from './connection.ts';
import { createEncode } from './encode.ts';
import { createHeadReader } from './head.ts';

/** What a front serves, and what it takes from the door. */
export interface FrontOptions {
  readonly path: HotPath;
  readonly door: Recorder & { readonly admission: Admission };
}

/** What a front must know of its listener. */
export interface FrontBounds {
  /** Bytes of a head that `node:http` would still take. */
  readonly headerBytes: number;
  /** Milliseconds that a connection without requests lives. */
  readonly keepAliveMs: number;
  /** Milliseconds between two sweeps. */
  readonly sweepEveryMs: number;
  /** Gives a socket to `node:http`, for good. */
  readonly handOver: (socket: Socket) => void;
}

/** Serves connections as long as they carry plain requests of the hot path. */
export interface Front {
  /** Takes a new connection. */
  take(socket: Socket): void;
  /** To be called every `sweepEveryMs`. */
  sweep(): void;
  /** Takes no new requests, and ends or hands over every connection once it has its answers. */
  drain(): void;
  /** Connections that it has. */
  readonly size: number;
}

/** A longer head than this is not plain. */
const PLAIN_HEAD_BYTES = 8192;

/** Makes a front without connections. */
export function createFront({ path, door }: FrontOptions, bounds: FrontBounds): Front {
  const connections = new Set<FrontConnection>();
  const idleSweeps = Math.ceil(bounds.keepAliveMs / bounds.sweepEveryMs) + 1;
  const parts: FrontParts = {
    path,
    admission: door.admission,
    recorder: door,
    readHead: createHeadReader(),
    encode: createEncode(bounds.keepAliveMs, door.now),
    headBytes: Math.min(PLAIN_HEAD_BYTES, bounds.headerBytes - 1),
    handOver: bounds.handOver,
    left: (connection) => void connections.delete(connection),
  };
  return {
    take: (socket) => void connections.add(new FrontConnection(socket, parts)),
    sweep() {
      for (const connection of connections) connection.sweep(idleSweeps);
    },
    drain() {
      for (const connection of connections) connection.drain();
    },
    get size() {
      return connections.size;
    },
  };
}
