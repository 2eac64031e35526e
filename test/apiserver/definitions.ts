import { fileURLToPath } from 'node:url';
import { KINDS } from '../../crds/group.ts';
import { type Connection, kubectl } from './connection.ts';

/** The files of our CustomResourceDefinitions. */
export const DEFINITION_FILES: readonly string[] = Object.values(KINDS).map(({ plural }) =>
  fileURLToPath(new URL(`../../crds/${plural}.yaml`, import.meta.url)),
);

/** Brings our CRDs to a server and waits until it serves them. */
export async function applyDefinitions(server: Connection): Promise<void> {
  const files = DEFINITION_FILES.map((file) => `--filename=${file}`);
  await must(server, ['apply', '--server-side', ...files]);
  await must(server, ['wait', '--for=condition=Established', '--timeout=60s', ...files]);
}

async function must(server: Connection, args: readonly string[]): Promise<void> {
  const { code, stderr } = await kubectl(server, args);
  if (code !== 0) throw new Error(`kubectl ${args[0]} failed: ${stderr}`);
}
