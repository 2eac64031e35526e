import { install, uninstall } from './release.ts';

/** One release for the whole run. */
export async function setup(): Promise<void> {
  await uninstall();
  process.stdout.write(await install());
}

export async function teardown(): Promise<void> {
  if (process.env['SIGNALBOX_E2E_KEEP'] === undefined) await uninstall();
}
