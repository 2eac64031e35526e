import express, { Router } from 'express';
import { RequestError } from '../errors.ts';
import type { Journal, StateRow } from '../journal/journal.ts';
import type { StreamShape } from '../routing/table.ts';
import { contextOf } from '../streams/context.ts';
import type { Instance } from '../streams/instance.ts';
import { instanceIn, streamId } from '../streams/rows.ts';
import type { Streams } from '../streams/streams.ts';
import { stepNameOf, tellWait } from '../streams/tell-wait.ts';
import type { Hand } from '../streams/transition.ts';
import { parseInstanceQuery } from './query.ts';

/** What the instances' part of the admin API works with. */
export interface InstancesParts {
  readonly journal: Pick<Journal, 'rows' | 'listRows' | 'countRows'>;
  readonly streams: Pick<Streams, 'hand'>;
}

/** An instance as lists show it. */
export interface InstanceItem
  extends Pick<Instance, 'id' | 'trigger' | 'key' | 'status' | 'startedAt' | 'endedAt' | 'since' | 'until'> {
  /** The step that it is at. */
  readonly step?: string;
  readonly waitsFor?: string;
  /** Why it is blocked, and the dead letter if there is one. */
  readonly blocked?: Instance['blocked'];
  /** How many events are held for later steps. */
  readonly held: number;
}

/** An instance with all that is known of it. */
export interface InstanceRecord extends InstanceItem {
  readonly history: Instance['history'];
  /** What its steps' expressions see. */
  readonly context: unknown;
}

const HANDS: readonly Hand[] = ['retry', 'skip', 'cancel'];

/** `/instances`, `/instances/{id}` (GET, and POST for an operator's hand) and `/instance-counts`, below `/api`. */
export function instancesApi({ journal, streams }: InstancesParts): Router {
  const router = Router();

  /** The streams that these instances run, by the id of their row. */
  async function shapesOf(instances: readonly Instance[]): Promise<ReadonlyMap<string, StreamShape>> {
    const ids = [...new Set(instances.map(({ trigger, stream }) => streamId(trigger, stream)))];
    const rows = ids.length === 0 ? [] : await journal.rows('stream', ids);
    return new Map(
      rows.flatMap((row) => (row === undefined ? [] : [[row.id, JSON.parse(row.body) as StreamShape]])),
    );
  }

  router.get('/instance-counts', async (_request, response) => {
    const items = (await journal.countRows('instance')).map(({ owner, status, count }) => ({
      trigger: owner,
      status,
      count,
    }));
    response.json({ items });
  });
  router.get('/instances', async (request, response) => {
    const { trigger, state, limit, cursor } = parseInstanceQuery(request.query);
    const page = await journal.listRows({
      kind: 'instance',
      limit,
      ...(trigger === undefined ? {} : { owner: trigger }),
      ...(state === undefined ? {} : { status: state }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    const instances = page.items.map(instanceIn);
    const shapes = await shapesOf(instances);
    response.json({ ...page, items: instances.map((instance) => itemOf(instance, shapes)) });
  });
  router.get('/instances/:id', async (request, response) => {
    const instance = instanceIn(await find(request.params.id));
    const item = itemOf(instance, await shapesOf([instance]));
    const { history } = instance;
    response.json({ ...item, history, context: contextOf(instance) } satisfies InstanceRecord);
  });
  router.post(
    '/instances/:id',
    express.json({ limit: '1kb', type: () => true }),
    async (request, response) => {
      const { action } = (request.body ?? {}) as { readonly action?: unknown };
      const hand = HANDS.find((one) => one === action);
      if (hand === undefined)
        throw new RequestError(400, 'invalid_action', `\`action\` is one of ${HANDS.join(', ')}.`);
      const { id } = request.params;
      const came = await streams.hand(id, hand);
      if (came === 'unknown') throw noInstance();
      const instance = instanceIn(await find(id));
      if (came === 'void') throw new RequestError(409, 'not_possible', refusal(hand, instance));
      response.json(itemOf(instance, await shapesOf([instance])));
    },
  );

  async function find(id: string): Promise<StateRow> {
    const [row] = await journal.rows('instance', [id]);
    if (row === undefined) throw noInstance();
    return row;
  }

  return router;
}

function noInstance(): RequestError {
  return new RequestError(
    404,
    'no_such_instance',
    'There is no such instance; one that is over goes after 7 days.',
  );
}

const NEEDS: Readonly<Record<Hand, string>> = {
  retry: 'only a Blocked instance is retried',
  skip: 'only a step that is Blocked or Waiting is skipped',
  cancel: 'what is over cannot be cancelled',
};

function refusal(hand: Hand, { status }: Instance): string {
  return `The instance is ${status}: ${NEEDS[hand]}.`;
}

function itemOf(instance: Instance, shapes: ReadonlyMap<string, StreamShape>): InstanceItem {
  const { id, trigger, key, status, startedAt, endedAt, since, until, blocked, inbox } = instance;
  const shape = shapes.get(streamId(trigger, instance.stream));
  const step = shape && stepNameOf(shape, instance);
  const waitsFor = shape && tellWait(shape, instance);
  return {
    id,
    trigger,
    ...(key === undefined ? {} : { key }),
    status,
    ...(step === undefined ? {} : { step }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    since,
    ...(until === undefined ? {} : { until }),
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(blocked === undefined ? {} : { blocked }),
    held: inbox.length,
  };
}
