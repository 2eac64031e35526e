import { defineConfig } from 'vitest/config';

/** Against the cluster of KUBECONFIG: `npm run test:e2e`. */
export default defineConfig({
  test: {
    include: ['test/e2e/*.e2e.ts'],
    globalSetup: ['test/e2e/global-setup.ts'],
    // They share one release, and some of them break it.
    fileParallelism: false,
    // A real cluster on two cores: a pod that comes late once is no finding, twice it is.
    retry: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
