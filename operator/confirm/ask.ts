import { type Dispatcher, request } from 'undici';

/** How long an answer may take beyond the time that the receiver was told to wait. */
const GRACE_MS = 5000;

export interface Question {
  /** `http://10.0.0.7:9090` */
  readonly url: string;
  readonly token: string;
  /** The receiver answers as soon as it runs this revision, */
  readonly atLeast: number;
  /** or after so many milliseconds. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Asks a receiver's admin port which revision it runs. Throws where it does not answer as it should. */
export type Ask = (question: Question) => Promise<number>;

/** Asks by HTTP. */
export function createAsk(dispatcher: Dispatcher): Ask {
  return async (question) => {
    const { atLeast, waitMs } = question;
    const path = `routing?atLeast=${atLeast}&waitMs=${waitMs}`;
    const { revision } = (await read(dispatcher, question, path, waitMs)) as { revision?: unknown };
    if (typeof revision !== 'number') throw new Error('the receiver told no revision');
    return revision;
  };
}

/** Asks a receiver's admin port for a list. Throws where it does not answer as it should. */
export type AskItems<Item> = (
  question: Pick<Question, 'url' | 'token' | 'signal'>,
) => Promise<readonly Item[]>;

/** Asks by HTTP for the items of `/api/{list}`. */
export function createAskItems<Item>(dispatcher: Dispatcher, list: string): AskItems<Item> {
  return async (question) => {
    const { items } = (await read(dispatcher, question, list, 0)) as { items?: unknown };
    if (!Array.isArray(items)) throw new Error(`the receiver told nothing of its ${list}`);
    return items as readonly Item[];
  };
}

async function read(
  dispatcher: Dispatcher,
  { url, token, signal }: Pick<Question, 'url' | 'token' | 'signal'>,
  path: string,
  waitMs: number,
): Promise<unknown> {
  const answer = await request(`${url}/api/${path}`, {
    dispatcher,
    headers: { authorization: `Bearer ${token}` },
    headersTimeout: waitMs + GRACE_MS,
    bodyTimeout: GRACE_MS,
    signal,
  });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    throw new RefusedAnswer(answer.statusCode);
  }
  return answer.body.json();
}

/** The receiver answered with another status than 200; 401 means that the token has changed. */
export class RefusedAnswer extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`its admin port answered ${status}`);
    this.name = 'RefusedAnswer';
    this.status = status;
  }
}
