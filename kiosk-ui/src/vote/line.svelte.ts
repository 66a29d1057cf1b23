import { Connection } from '../lib/connection.svelte';
import type { VoteView } from '../lib/protocol';
import { keepFresh } from './plain';

/**
 * The phone's line, and a promise of its first view. Until that the server's plain form is
 * on the page, and where no websocket can be had it stays and is kept fresh.
 */
export function openLine(): { line: Connection<VoteView>; firstView: Promise<void> } {
  const line = new Connection<VoteView>('vote');
  const firstView = new Promise<void>((resolve) => {
    const stop = $effect.root(() => {
      $effect(() => {
        if (line.view) {
          resolve();
          queueMicrotask(() => stop());
        } else if (!line.websocketPossible) {
          return keepFresh();
        }
      });
    });
  });
  return { line, firstView };
}
