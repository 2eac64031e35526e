import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADMIN_TOKEN_FILE } from '../../receiver/http/admin-token.ts';
import type { Terminal } from '../command.ts';
import { CommandError, EXIT, UsageError } from '../exit-codes.ts';
import type { Option, Parsed } from '../options.ts';

/** The admin API said no; `status` is its HTTP status. */
export class AdminError extends CommandError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'AdminError';
    this.status = status;
  }
}

const DEFAULT_ADDRESS = '127.0.0.1:9090';
const DEFAULT_DATA = '.signalbox';
const TIMEOUT_MS = 30_000;

/** How every command that asks a running receiver finds it. */
export const ADMIN_OPTIONS: readonly Option[] = [
  {
    name: 'admin',
    value: 'ADDR',
    help: `The admin listener. Default: SIGNALBOX_ADMIN, else ${DEFAULT_ADDRESS}`,
  },
  {
    name: 'data',
    value: 'DIR',
    help: `Its data directory, where the token lies. Default: ${DEFAULT_DATA}\nSIGNALBOX_ADMIN_TOKEN goes before it.`,
  },
];

/** Asks the admin API of a running receiver for one page. Throws CommandError and UsageError. */
export async function adminGet(
  path: string,
  query: Readonly<Record<string, string>>,
  parsed: Parsed,
  terminal: Terminal,
): Promise<unknown> {
  return call(`${path}?${new URLSearchParams(query).toString()}`, {}, parsed, terminal);
}

/** Has the admin API of a running receiver do something. Throws CommandError and UsageError. */
export async function adminPost(
  path: string,
  body: object,
  parsed: Parsed,
  terminal: Terminal,
): Promise<unknown> {
  return call(path, { method: 'POST', body: JSON.stringify(body) }, parsed, terminal);
}

async function call(path: string, init: RequestInit, parsed: Parsed, terminal: Terminal): Promise<unknown> {
  const base = adminUrl(parsed.text('admin') ?? terminal.env['SIGNALBOX_ADMIN'] ?? DEFAULT_ADDRESS);
  const token = terminal.env['SIGNALBOX_ADMIN_TOKEN'] ?? (await tokenIn(parsed.text('data') ?? DEFAULT_DATA));
  const { status, body } = await ask(new URL(path, base), token, init);
  if (status === 200) return body;
  const error = (body as { readonly error?: { readonly message?: string } } | undefined)?.error;
  if (status === 401) {
    throw new CommandError(
      `${base.origin} does not take this token; set SIGNALBOX_ADMIN_TOKEN, or give its --data.`,
    );
  }
  throw new AdminError(status, `${base.origin} answered ${status}: ${error?.message ?? 'no reason given'}`);
}

async function ask(
  url: URL,
  token: string,
  init: RequestInit,
): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const response = await fetch(url, {
      ...init,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, body: await response.json() };
  } catch (error) {
    const message = `Cannot reach the admin API at ${url.origin}; start \`signalbox run\`, or say where it listens with --admin.`;
    throw new CommandError(message, EXIT.unreachable, error);
  }
}

function adminUrl(address: string): URL {
  const url = URL.parse(address.includes('://') ? address : `http://${address}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `--admin ${address} is no address; write host:port, for example ${DEFAULT_ADDRESS}.`,
    );
  }
  return url;
}

async function tokenIn(directory: string): Promise<string> {
  try {
    return (await readFile(join(directory, ADMIN_TOKEN_FILE), 'utf8')).trim();
  } catch (error) {
    const message = `There is no admin token in ${directory}; give the receiver's data directory with --data, or set SIGNALBOX_ADMIN_TOKEN.`;
    throw new CommandError(message, EXIT.failed, error);
  }
}
