// Phones without JavaScript, and phones whose window has no websocket (the captive-portal
// window of an iPhone): the same page votes by a plain form.
import { expect, test } from 'vitest';
import { Conductor } from './conductor';
import { Hall, type Screen, seen } from './hall';

const hall = Hall.open();

/** Counts by option of the question on the screens, and all who answered. */
async function tally(conductor: Conductor): Promise<Record<string, number>> {
  const current = (await conductor.view()).current;
  return current ? conductor.kiosk.tally(current.id) : {};
}

const button = (screen: Screen, words: string) =>
  screen.page.locator('.plain button', { hasText: words });

/** Presses a button of the form and waits for the page that comes back. */
async function press(screen: Screen, words: string): Promise<void> {
  const back = screen.page.waitForEvent('load');
  await button(screen, words).tap();
  await back;
}

test('without JavaScript: vote, change, several, skip', async () => {
  const kiosk = await hall.kiosk();
  const conductor = await Conductor.at(hall, kiosk);
  const phone = await hall.screen(kiosk, 'vote', { context: { javaScriptEnabled: false } });
  const said = phone.page.locator('.plain-said');
  expect(await phone.everything()).toContain('Muat ulang');

  await conductor.ask('k1');
  await phone.page.locator('.plain-links a').first().tap(); // "look again"
  await press(phone, '15 tahun');
  await said.waitFor();
  expect(await seen(button(phone, '15 tahun'))).toContain('✓');
  expect(await tally(conductor)).toMatchObject({ '15': 1, ballots: 1 });

  await press(phone, '18 tahun');
  expect(await seen(button(phone, '18 tahun'))).toContain('✓');
  expect(await seen(button(phone, '15 tahun'))).not.toContain('✓');
  expect(await tally(conductor)).toMatchObject({ '15': 0, '18': 1, ballots: 1 });

  // A reload sends nothing again.
  await phone.page.reload();
  expect(await seen(button(phone, '18 tahun'))).toContain('✓');
  expect(await tally(conductor)).toMatchObject({ '18': 1, ballots: 1 });

  await press(phone, 'Lewati');
  expect(await tally(conductor)).toMatchObject({ '18': 0, skipped: 1, ballots: 1 });

  // A ballot that comes too late is refused with a sentence.
  await conductor.do({ do: 'closeQuestion', question: 'k1' });
  await press(phone, '15 tahun');
  await expect.poll(() => seen(said)).toMatch(/tutup|terbuka|dibuka/i);
  expect(await tally(conductor)).toMatchObject({ '15': 0, skipped: 1, ballots: 1 });

  // Several choices.
  await conductor.ask('o5');
  await phone.page.goto(phone.page.url());
  const boxes = phone.page.locator('.plain input[type=checkbox]');
  const ids = (await conductor.view()).current?.options.map(({ id }) => id) ?? [];
  expect(await boxes.count()).toBe(ids.length);
  await press(phone, 'Kirim');
  await said.waitFor(); // nothing was ticked: it says so
  expect(await tally(conductor)).toMatchObject({ ballots: 0 });
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  await press(phone, 'Kirim');
  expect(await tally(conductor)).toMatchObject({
    [ids[0] as string]: 1,
    [ids[1] as string]: 0,
    [ids[2] as string]: 1,
    ballots: 1,
  });
  expect(await boxes.nth(2).isChecked()).toBe(true);
  await boxes.nth(2).uncheck();
  await press(phone, 'Kirim');
  expect(await tally(conductor)).toMatchObject({
    [ids[0] as string]: 1,
    [ids[2] as string]: 0,
    ballots: 1,
  });

  // And in English.
  await phone.page.locator('.plain-links a[hreflang=en]').tap();
  await button(phone, 'Send').waitFor();

  await conductor.do({ do: 'closeQuestion', question: 'o5' });
  await conductor.do({ do: 'moveTo', step: 'ended' });
  await phone.page.locator('.plain-links a').first().tap();
  await expect.poll(() => phone.everything()).toContain('Thank you');
});

test('without websockets the form stays and votes; with them later, that ballot replaces it', async () => {
  const kiosk = await hall.kiosk();
  const conductor = await Conductor.at(hall, kiosk);
  await conductor.ask('k1');
  const portal = await hall.screen(kiosk, 'vote', {
    name: 'captive portal',
    before: () => {
      delete (window as { WebSocket?: unknown }).WebSocket;
    },
  });
  await press(portal, '15 tahun');
  expect(await seen(button(portal, '15 tahun'))).toContain('✓');
  expect(await tally(conductor)).toMatchObject({ '15': 1, ballots: 1 });

  // The page looks again by itself, so that the next question comes.
  await conductor.do({ do: 'closeQuestion', question: 'k1' });
  await conductor.ask('o5');
  await portal.page.locator('.plain input[type=checkbox]').first().waitFor({ timeout: 30_000 });

  // Not while something is ticked, for that would be lost. (A minute goes by at once.)
  await portal.page.clock.install();
  await portal.page.reload();
  const boxes = portal.page.locator('.plain input[type=checkbox]');
  await boxes.nth(1).check();
  await portal.page.evaluate(() => Object.assign(window, { sameAsBefore: true }));
  await portal.page.clock.runFor(60_000);
  expect(await portal.page.evaluate(() => 'sameAsBefore' in window)).toBe(true);
  expect(await boxes.nth(1).isChecked()).toBe(true);
  await press(portal, 'Kirim');
  const ids = (await conductor.view()).current?.options.map(({ id }) => id) ?? [];
  expect(await tally(conductor)).toMatchObject({ [ids[1] as string]: 1, ballots: 1 });

  // The same phone, now in its real browser.
  await conductor.do({ do: 'closeQuestion', question: 'o5' });
  await conductor.ask('k1');
  const browser = await hall.screen(kiosk, 'vote', { beside: portal, name: 'real browser' });
  const mine = (id: string) =>
    expect.poll(() => browser.at(`option-${id}`).getAttribute('aria-pressed'));
  await mine('15').toBe('true'); // what it chose in the other window
  await browser.tap('option-18');
  await mine('18').toBe('true');
  expect(browser.sent.size, 'sent by websocket').toBe(1);
  await expect.poll(() => tally(conductor)).toMatchObject({ '15': 0, '18': 1, ballots: 1 });
});

test('phones turned off: the phone says where to go, with and without JavaScript; and on again', async () => {
  const kiosk = await hall.kiosk();
  const conductor = await Conductor.at(hall, kiosk);
  await conductor.ask('k1');
  const facilitator = await hall.screen(kiosk, 'facilitator', {
    context: { storageState: await conductor.screen.page.context().storageState() },
  });
  const phone = await hall.screen(kiosk, 'vote');
  const plain = await hall.screen(kiosk, 'vote', { context: { javaScriptEnabled: false } });
  const stage = await hall.screen(kiosk, 'stage');
  await phone.page.getByTestId('option-18').waitFor();

  await facilitator.page.getByTestId('phones').click();
  await phone.page.getByTestId('no-phones').waitFor();
  await stage.page.getByTestId('no-phones').waitFor();
  await press(plain, '18 tahun'); // the page was loaded before
  await expect.poll(() => seen(plain.page.locator('.plain-said'))).toContain('hanya di kotak');
  expect(await button(plain, '18 tahun').count()).toBe(0);
  expect(await tally(conductor)).toMatchObject({ ballots: 0 });

  await facilitator.page.getByTestId('phones').click();
  await phone.page.getByTestId('option-18').tap();
  await phone.page.getByTestId('saved').waitFor();
  expect(await tally(conductor)).toMatchObject({ '18': 1, ballots: 1 });
});
