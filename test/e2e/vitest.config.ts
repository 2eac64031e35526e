import { defineConfig } from 'vitest/config';

/** Against the cluster of KUBECONFIG: `npm run test:e2e`. */
export default defineConfig({
  test: {
    include: ['test/e2e/*.e2e.ts'],
    globalSetup: ['test/e2e/global-setup.ts'],
    // They share one release, and some of them break it.
    fileParallelism: false,
    // A real cluster on two cores: a pod that comes late is no finding, three times it is.
    retry: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
