import express, { type ErrorRequestHandler, type Express, type Request, Router } from 'express';
import type { BridgeStatus } from '../bridge/status.ts';
import type { Redrive } from '../deliver/redrive.ts';
import { RequestError } from '../errors.ts';
import { explainEvent, type InForce } from '../explain.ts';
import type { DeliveryRow, EventRow, Journal } from '../journal/journal.ts';
import type { Log } from '../observe/log.ts';
import type { RefusalStore } from '../observe/refusal-store.ts';
import type { RepeatLog, Repeats } from '../observe/repeat-log.ts';
import type { Traffic } from '../observe/traffic.ts';
import { asRequestError } from '../refusals.ts';
import type { RevisionGate } from '../routing/revision-gate.ts';
import { instanceCounts } from '../streams/instance-counts.ts';
import type { Streams } from '../streams/streams.ts';
import type { KeyUse } from '../verify/key-use.ts';
import { parseRedrive } from './admin-redrive.ts';
import { carriesToken } from './admin-token.ts';
import { answerError } from './answer.ts';
import { type HealthParts, healthApp } from './health-app.ts';
import { instancesApi } from './instances.ts';
import { parseDeadLetterQuery, parseQuery, parseRefusalQuery } from './query.ts';

/** What the admin listener shows. */
export interface AdminParts extends HealthParts {
  readonly journal: Journal;
  readonly refusals: Pick<RefusalStore, 'list'>;
  readonly repeats: Pick<RepeatLog, 'of'>;
  readonly traffic: Pick<Traffic, 'list'>;
  /** Brings the backlogs up to date before they are told; left out where only this receiver changes them. */
  readonly recount?: (() => Promise<void>) | undefined;
  readonly redrive: Redrive;
  readonly gate: RevisionGate;
  /** The table in force, and since when it is. */
  readonly inForce: () => InForce;
  readonly keyUse: Pick<KeyUse, 'list'>;
  readonly bridges: () => readonly BridgeStatus[];
  readonly streams: Pick<Streams, 'hand' | 'whereabouts'>;
  readonly token: string;
  readonly log: Log;
}

/** Milliseconds that a caller may wait for a revision. */
const LONGEST_WAIT = 30_000;

/** The admin listener: health and metrics open, `/api/` with the bearer token. */
export function adminApp(parts: AdminParts): Express {
  const app = healthApp(parts);
  app.use('/api', (request, response, next) => {
    if (carriesToken(request.headers.authorization, parts.token)) next();
    else
      answerError(
        response,
        new RequestError(401, 'unauthorized', 'Send the admin token as `Authorization: Bearer`.'),
      );
  });
  app.use('/api', api(parts));
  app.use('/api', instancesApi(parts));
  app.use((_request, response) =>
    answerError(response, new RequestError(404, 'not_found', 'There is no such page.')),
  );
  app.use(faults(parts.log));
  return app;
}

function api(parts: AdminParts): Router {
  const { journal, refusals, repeats, traffic, redrive, gate, keyUse, bridges, streams, inForce } = parts;
  const router = Router();
  router.get('/routing', async (request, response) => {
    const atLeast = Number(request.query['atLeast'] ?? 0);
    const waitMs = Math.min(Number(request.query['waitMs'] ?? 0), LONGEST_WAIT);
    if (!Number.isSafeInteger(atLeast) || !(waitMs >= 0)) {
      throw new RequestError(400, 'invalid_query', '`atLeast` and `waitMs` are whole numbers.');
    }
    response.json({ revision: await gate.reached(atLeast, waitMs) });
  });
  router.get('/keys', (_request, response) => void response.json({ items: keyUse.list() }));
  router.get('/bridges', (_request, response) => void response.json({ items: bridges() }));
  router.get('/traffic', async (_request, response) => {
    await parts.recount?.();
    response.json({ items: traffic.list(instanceCounts(await journal.countRows('instance'))) });
  });
  router.get('/events', async (request, response) => {
    const page = await journal.events(parseQuery(request.query));
    response.json({ ...page, items: page.items.map(shownEvent) });
  });
  router.get('/events/:event', async (request, response) => {
    const found = await journal.event(numbered(request));
    if (found === undefined)
      throw new RequestError(
        404,
        'no_such_event',
        'There is no such event; it may have passed its retention.',
      );
    response.json({
      ...shownEvent(found.row),
      repeats: repeatsOf(repeats, found.row),
      dataBase64: found.data === undefined ? null : Buffer.from(found.data).toString('base64'),
      deliveries: (await deliveriesOf(journal, found.row.event)).map(shownDelivery),
      ...(await explainEvent(found, inForce(), streams)),
    });
  });
  router.get('/rejected', async (request, response) => {
    response.json(await refusals.list(parseRefusalQuery(request.query)));
  });
  router.get('/deliveries', async (request, response) => {
    const page = await journal.deliveries(parseQuery(request.query));
    response.json({
      ...page,
      items: page.items.map((row) => ({ ...row, attributes: JSON.parse(row.attributes) as unknown })),
    });
  });
  router.get('/dead-letters', async (request, response) => {
    const page = await journal.deliveries({ ...parseDeadLetterQuery(request.query), state: 'dead' });
    response.json({
      ...page,
      items: page.items.map((row) => ({ ...row, attributes: JSON.parse(row.attributes) as unknown })),
    });
  });
  router.post('/redrive', express.json({ limit: '64kb', type: () => true }), async (request, response) => {
    response.json(await redrive(parseRedrive(request.body)));
  });
  return router;
}

/** null where it did not come again since the receiver started. */
function repeatsOf(repeats: Pick<RepeatLog, 'of'>, { entrance, attributes }: EventRow): Repeats | null {
  const { source = '', id = '' } = JSON.parse(attributes) as {
    readonly source?: string;
    readonly id?: string;
  };
  return repeats.of(entrance, source, id) ?? null;
}

function shownEvent(row: EventRow): object {
  return {
    ...row,
    attributes: JSON.parse(row.attributes) as unknown,
    record: JSON.parse(row.record) as unknown,
  };
}

/** All of an event's deliveries, in the order in which they were made. */
async function deliveriesOf(journal: Journal, event: number): Promise<readonly DeliveryRow[]> {
  const all: DeliveryRow[] = [];
  let cursor: string | undefined;
  do {
    const page = await journal.deliveries({
      event,
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    all.push(...page.items);
    cursor = page.next;
  } while (cursor !== undefined);
  return all.toReversed();
}

/** As it stands below its event, whose attributes need no repeating. */
function shownDelivery({ id, trigger, state, due, reason, line, attempts }: DeliveryRow): object {
  return { id, trigger, state, due, reason, line, attempts };
}

function numbered(request: Request): number {
  const event = Number(request.params['event']);
  if (!Number.isSafeInteger(event))
    throw new RequestError(400, 'invalid_query', 'An event is named by its number.');
  return event;
}

function faults(log: Log): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const told = isUnreadable(error)
      ? new RequestError(
          400,
          'invalid_body',
          'The body is no JSON, is too large, or is not encoded as its headers say.',
        )
      : asRequestError(error);
    if (told.status >= 500) log.error({ error: String(error) }, 'the admin API failed');
    answerError(response, told);
  };
}

/** What Express's reader of bodies throws where the sender is wrong; not all of it has a type. */
function isUnreadable(error: unknown): boolean {
  if (error instanceof RequestError) return false;
  return (error as { readonly expose?: unknown } | null)?.expose === true;
}
