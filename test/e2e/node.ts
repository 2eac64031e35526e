import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';

/*
 * What takes a hand on the node itself. Known only where test/e2e/on-this-machine has brought the cluster up: it sets
 * SIGNALBOX_NODE to the cluster tool's state folder, with pid files in run/.
 */

const STATE = process.env['SIGNALBOX_NODE'] ?? '';

/** Whether the node's own processes can be reached. */
export function hasNode(): boolean {
  return STATE !== '';
}

interface Process {
  readonly pid: number;
  /** As /proc has it: enough to start it again. */
  readonly args: readonly string[];
}

async function pidOf(name: string): Promise<number> {
  return Number(await readFile(join(STATE, 'run', `${name}.pid`), 'utf8'));
}

async function processOf(name: string): Promise<Process> {
  const pid = await pidOf(name);
  const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').slice(0, -1);
  return { pid, args };
}

async function end({ pid }: Process): Promise<void> {
  process.kill(pid, 'SIGKILL');
  while (isThere(pid)) await pause(50);
}

/** Starts it again in the node's network; the tool's `down` finds it by its pid file. */
async function begin(name: string, { args }: Process): Promise<void> {
  const script = 'exec nsenter --net=/run/netns/signalbox "$@" >>"$LOG" 2>&1 </dev/null & echo $! > "$PID"';
  const env = {
    ...process.env,
    LOG: join(STATE, 'log', `${name}.log`),
    PID: join(STATE, 'run', `${name}.pid`),
  };
  const child = spawn('setsid', ['bash', '-c', script, name, ...args], { env, stdio: 'ignore' });
  await new Promise<void>((resolve, reject) => child.on('error', reject).on('exit', () => resolve()));
}

/** Kills kubelet and containerd, and starts both again: what a node's own restart of its services comes to. */
export async function restartNode(): Promise<void> {
  const kubelet = await processOf('kubelet');
  const containerd = await processOf('containerd');
  await end(kubelet);
  await end(containerd);
  await begin('containerd', containerd);
  await begin('kubelet', kubelet);
  // A kubelet ends when its runtime does not answer yet, and containerd, which listens before it has taken up its
  // containers again, refuses until then. systemd would start it again; here nobody else does.
  while (!(await kubeletAnswers())) {
    if (!isThere(await pidOf('kubelet'))) await begin('kubelet', kubelet);
    await pause(300);
  }
}

async function kubeletAnswers(): Promise<boolean> {
  try {
    const node = await command('kubectl', ['get', 'nodes', '--output=jsonpath={.items[0].metadata.name}']);
    await command('kubectl', ['get', '--raw', `/api/v1/nodes/${node}/proxy/healthz`]);
    return true;
  } catch {
    return false;
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Kills the API server; it is back when this is disposed of. */
export async function stopApiServer(): Promise<AsyncDisposable> {
  const found = await processOf('kube-apiserver');
  await end(found);
  let back: Promise<void> | undefined;
  return {
    [Symbol.asyncDispose]: () => {
      back ??= begin('kube-apiserver', found).then(answers);
      return back;
    },
  };
}

async function answers(): Promise<void> {
  for (;;) {
    try {
      await command('kubectl', ['get', '--raw', '/readyz']);
      return;
    } catch {
      await pause(300);
    }
  }
}
