import { expect } from 'vitest';
import { forward } from './objects.ts';
import { NAMESPACE, RELEASE } from './release.ts';
import { type Load, type Sender, type Stage, setStage } from './stage.ts';

/** How many more events are taken before a fault counts as lived through. */
const SOME = 100;

/** What a test under load has in hand. */
export interface UnderLoad {
  readonly stage: Stage;
  readonly load: Sender;
  /** Resolves when some more events have been acknowledged. */
  flows(): Promise<void>;
}

/** Sends all the time while `work` does what it does, and fails where anything acknowledged has not arrived afterwards. */
export async function underLoad(work: (under: UnderLoad) => Promise<void>): Promise<Load> {
  await using stage = await setStage();
  await stage.apply(
    forward('load', `${stage.farEnd}/in`, { delivery: { backoffDelay: '100ms', retry: 20 } }),
  );
  await stage.live('et/load');
  const address = `http://${RELEASE}-receiver.${NAMESPACE}.svc.cluster.local/triggers/${stage.namespace}/load`;
  const load = await stage.load(address);
  await load.start();
  const flows = async (): Promise<void> => {
    const { acknowledged } = await load.look();
    await expect
      .poll(async () => (await load.look()).acknowledged.length, { timeout: 120_000 })
      .toBeGreaterThan(acknowledged.length + SOME);
  };
  await flows();
  await work({ stage, load, flows });
  await flows();
  const told = await load.stop();
  await stage.allArrived(told.acknowledged);
  console.log(`${told.acknowledged.length} acknowledged, none lost; refused meanwhile:`, told.refusals);
  return told;
}
