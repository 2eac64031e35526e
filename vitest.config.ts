import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{crds,receiver,operator,cli,charts,test}/**/*.test.ts'],
    globalSetup: ['test/apiserver/global-setup.ts', 'test/postgres/global-setup.ts'],
    // Nothing keeps state in a module, so files share their process: a process per file costs more than the tests.
    isolate: false,
    pool: 'forks',
    // A hang is what a timeout is for; how fast things are, `npm run bench` tells.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    reporters: ['default'],
  },
});
