import './theme.css';
import { type Component, mount } from 'svelte';
import { openLanguage } from './i18n.svelte';

/**
 * Mounts a page into #app once its sentences are there. The vote page passes `until`:
 * the plain HTML form in #app stays in place until that has resolved.
 */
export async function openPage<Props extends Record<string, unknown>>(
  page: Component<Props>,
  props = {} as Props,
  until?: Promise<unknown>,
): Promise<void> {
  await Promise.all([openLanguage(), until]);
  const target = document.getElementById('app');
  if (!target) throw new Error('open page: no #app in the HTML');
  target.replaceChildren();
  mount(page, { target, props });
}
