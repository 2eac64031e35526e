import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{crds,receiver,operator,cli,charts,test}/**/*.test.ts'],
    globalSetup: [
      'test/scratch/global-setup.ts',
      'test/apiserver/global-setup.ts',
      'test/postgres/global-setup.ts',
    ],
    // Nothing keeps state in a module, so files share their process: a process per file costs more than the tests.
    isolate: false,
    // Much of a test is waiting for a process: two cores are shared by three workers.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    pool: 'forks',
    // Node takes the types out of a thread's modules by WebAssembly, and V8 ends the process now and then when several
    // threads have its wrappers compiled: they never are. What is shipped is JavaScript.
    execArgv: ['--wasm-wrapper-tiering-budget=1000000000'],
    // A hang is what a timeout is for; how fast things are, `npm run bench` tells.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    reporters: ['default'],
  },
});
