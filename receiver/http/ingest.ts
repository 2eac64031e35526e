import type { IncomingMessage, ServerResponse } from 'node:http';
import { overloaded } from '../refusals.ts';
import { answerError, send } from './answer.ts';
import { readBody } from './body.ts';
import type { Door } from './door.ts';
import {
  carry,
  type HotPath,
  type Intake,
  type RefusedHead,
  type RequestHead,
  turnedAway,
} from './intake.ts';
import type { HotHandler } from './listener.ts';

/** What bounds and records requests whose body is yet to be read. */
export type IngestDoor = Omit<Door, 'pipeline' | 'runtime'>;

/** Serves a hot path by way of `node:http`. */
export function serveHot(path: HotPath, door: IngestDoor): HotHandler {
  return (request, response) => {
    const { method = '', url = '', headers } = request;
    const found = path({ method, url, headers });
    if (found === undefined) return false;
    if ('refused' in found) refuseHead(response, found, door);
    else ingest(request, response, found, door);
    return true;
  };
}

function refuseHead(
  response: ServerResponse,
  { refused, cause }: RefusedHead,
  { observer, now }: IngestDoor,
): void {
  const { status, code } = refused;
  if (cause !== undefined) observer.rejected({ at: now(), entrance: '', status, code, cause, bytes: 0 });
  answerError(response, refused);
}

/**
 * Reads the body of one request, carries it through the pipeline and answers exactly once, whatever happens. What it
 * takes is given back when its answer has left or its sender has gone.
 */
function ingest(request: IncomingMessage, response: ServerResponse, intake: Intake, door: IngestDoor): void {
  let entered = false;
  const reading = readBody(request, { ...door, limit: intake.limit }, (error, body) => {
    if (error === undefined) entered = door.admission.enter();
    if (!entered) {
      send(response, turnedAway(intake, door, error ?? overloaded(), body.length));
      return;
    }
    carry(intake, { ...headOf(request), body }, door, (answer) => {
      if (!response.headersSent) send(response, answer);
    });
  });
  response.once('close', () => {
    if (entered) door.admission.leave();
    door.admission.release(reading.size);
  });
}

function headOf({ method = '', url = '', headers }: IncomingMessage): RequestHead {
  return { method, url, headers };
}
