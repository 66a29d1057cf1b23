import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

const pages = [
  'start',
  'stage',
  'touch',
  'check',
  'facilitator',
  'vote',
  'summary',
  'single',
  'record',
];
const here = import.meta.dirname;

/** Stands in for the daemon's /lang while developing; the rest is proxied to it. */
const sentences = {
  name: 'sentences',
  configureServer(server: import('vite').ViteDevServer) {
    server.middlewares.use('/lang', (req, res) => {
      res.setHeader('Content-Type', 'application/json');
      const file = (req.url ?? '').slice(1);
      const read = (name: string) => readFileSync(resolve(here, 'lang', name), 'utf8');
      const known = readdirSync(resolve(here, 'lang')).filter((name) => name.endsWith('.json'));
      if (known.includes(file)) return res.end(read(file));
      res.end(
        JSON.stringify(
          known.map((name) => ({
            code: name.replace('.json', ''),
            name: JSON.parse(read(name))['language.name'],
          })),
        ),
      );
    });
  },
};

export default defineConfig({
  plugins: [svelte(), sentences],
  // Vitest would otherwise take Svelte's server half, in which runes do not react.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  build: {
    // Phones of five years ago. The content policy allows no inline script and no data
    // addresses: nothing is inlined, and no polyfill is needed for module preloading.
    target: ['chrome87', 'safari14'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    emptyOutDir: true, // public/.keep puts dist/.keep back
    rolldownOptions: { input: pages.map((page) => resolve(here, `${page}.html`)) },
  },
  server: {
    proxy: {
      '/ws': { target: 'http://localhost:8080', ws: true },
      '^/(api|icon|qr|film|voice|guidebook)(/|$|\\?)': 'http://localhost:8080',
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
});
