// Browser tests: the real daemon, real Chromium. Run by `npm run e2e`, never by `npm test`.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    environment: 'node',
    globalSetup: ['./ready.ts'],
    fileParallelism: false, // each test keeps two cores busy by itself
    retry: 0,
    testTimeout: 300_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ['verbose'],
    expect: { poll: { timeout: 60_000, interval: 100 } },
  },
});
