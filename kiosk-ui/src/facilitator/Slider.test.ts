import { flushSync } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import Slider from './Slider.svelte';
import { show } from './testing';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function open() {
  const onset = vi.fn(() => Promise.resolve(true));
  const { find } = show(Slider, {
    label: 'Posisi',
    value: 10_000,
    max: 100_000,
    step: 1000,
    say: (at: number) => `${at / 1000} detik`,
    onset,
    name: 'seek',
  });
  const input = find('seek') as HTMLInputElement;
  function to(value: number, ...events: string[]) {
    input.value = String(value);
    for (const event of events) input.dispatchEvent(new Event(event, { bubbles: true }));
    flushSync();
  }
  return { onset, input, to };
}

test('a drag sends one wish, at its end', () => {
  const { onset, input, to } = open();
  input.dispatchEvent(new Event('pointerdown', { bubbles: true }));
  to(20_000, 'input');
  to(40_000, 'input');
  expect(input.getAttribute('aria-valuetext')).toBe('40 detik');
  expect(onset).not.toHaveBeenCalled();
  to(50_000, 'input', 'change');
  expect(onset).toHaveBeenCalledExactlyOnceWith(50_000);
});

test('a run of arrow keys sends one wish, once it has ended', () => {
  const { onset, input, to } = open();
  for (const at of [11_000, 12_000, 13_000]) {
    input.dispatchEvent(new Event('keydown', { bubbles: true }));
    to(at, 'input', 'change');
    vi.advanceTimersByTime(200);
  }
  expect(onset).not.toHaveBeenCalled();
  vi.advanceTimersByTime(600);
  expect(onset).toHaveBeenCalledExactlyOnceWith(13_000);
});

test('afterwards it follows the kiosk again', async () => {
  const { input, to } = open();
  to(50_000, 'input', 'change');
  await vi.advanceTimersByTimeAsync(300);
  flushSync();
  expect(input.getAttribute('aria-valuetext')).toBe('10 detik');
});
