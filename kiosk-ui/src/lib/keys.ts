// Keys of the kiosk's keyboard that are clicker buttons. Each key going down is one press,
// so each gets an id of its own (Connection.send makes it); a key held down is one press.

import type { Connection } from './connection.svelte';
import type { FacilitatorView, StageView, TouchView } from './protocol';

type Line = Pick<Connection<StageView | TouchView | FacilitatorView>, 'view' | 'send'>;

/**
 * Sends pressKey for the keys that the newest view names, wherever the focus is except in
 * a field. Gives the way to stop: `onMount(() => clickerKeys(line))`.
 */
export function clickerKeys(line: Line): () => void {
  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (inField(event.target) || !line.view?.keys.includes(event.key)) return;
    event.preventDefault(); // a held key must not press the focused button instead
    if (!event.repeat) void line.send({ do: 'pressKey', key: event.key });
  }
  addEventListener('keydown', press);
  return () => removeEventListener('keydown', press);
}

function inField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.matches('input, select, textarea, [contenteditable]')
  );
}
