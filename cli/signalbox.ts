#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=16 --single-threaded-gc --v8-pool-size=1
import { main } from './main.ts';
import { processTerminal } from './terminal.ts';

process.exitCode = await main(process.argv.slice(2), processTerminal());
