// For screens that cannot be scrolled: words that do not fit their place get smaller.

import type { Attachment } from 'svelte/attachments';

const smallest = 0.5;
const step = 0.04;

/**
 * Sets --fit (1 down to 0.5) on an element so that its content does not run over it; the
 * element's style multiplies its sizes by var(--fit, 1). Follows content and window.
 */
export const fit: Attachment<HTMLElement> = (node) => {
  let frame = 0;
  function measure(): void {
    let size = 1;
    node.dataset.measuring = ''; // theme.css: sizes must not glide while they are tried
    do {
      node.style.setProperty('--fit', String(size));
      size -= step;
    } while (size >= smallest && overflows(node));
    delete node.dataset.measuring;
  }
  function later(): void {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(measure);
  }
  const resized = new ResizeObserver(later);
  resized.observe(node);
  const changed = new MutationObserver(later);
  changed.observe(node, { childList: true, subtree: true, characterData: true });
  changed.observe(document.documentElement, { attributeFilter: ['data-page'] }); // other sizes
  document.fonts?.addEventListener('loadingdone', later);
  later();
  return () => {
    cancelAnimationFrame(frame);
    resized.disconnect();
    changed.disconnect();
    document.fonts?.removeEventListener('loadingdone', later);
  };
};

/** By more than a pixel, which rounding can do. */
function overflows(node: HTMLElement): boolean {
  const over = (e: Element) =>
    e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1;
  return over(node) || [...node.querySelectorAll('[data-fit]')].some(over);
}
