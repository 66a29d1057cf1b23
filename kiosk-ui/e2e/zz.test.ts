import { test } from 'vitest';
import { Conductor } from './conductor';
import { Hall } from './hall';
import { fits, isAccessible, isWhole } from './look';
const hall = Hall.open();
test('times', async () => {
  let t0 = performance.now();
  const log = (w: string) => { console.log('T', Math.round(performance.now() - t0), w); t0 = performance.now(); };
  const kiosk = await hall.kiosk();
  const conductor = await Conductor.at(hall, kiosk);
  await conductor.ask('k1');
  log('start');
  const touch = await hall.screen(kiosk, 'touch', { context: { reducedMotion: 'reduce' } });
  await touch.sees('option-18');
  log('touch');
  for (let i = 0; i < 3; i++) {
    await fits(touch, 'x', true); log('fits');
    await isWhole(touch, 'x'); log('whole');
    await isAccessible(touch, 'x'); log('axe');
  }
  await touch.page.setViewportSize({ width: 800, height: 480 }); log('size');
  const vote = await hall.screen(kiosk, 'vote', { context: { reducedMotion: 'reduce' } });
  await vote.sees('option-18');
  log('vote');
  await isAccessible(vote, 'x'); log('axe');
  await conductor.view(); log('view');
  const plain = await hall.screen(kiosk, 'vote', { context: { javaScriptEnabled: false } });
  await plain.page.locator('.plain').waitFor(); log('plain');
  await Promise.race([isAccessible(plain, 'x'), new Promise((d) => setTimeout(d, 20000))]); log('axe');
}, 120000);
