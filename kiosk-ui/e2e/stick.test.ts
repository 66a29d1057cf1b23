// A tired person, a dark hall, a USB stick: what touch screen and facilitator's phone say, from
// the plugging in until it may be taken out, and when something is wrong with it.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { Conductor, pin } from './conductor';
import { Hall, type Screen } from './hall';
import type { Kiosk } from './kiosk';
import { fits, isAccessible, isWhole } from './look';
import { pack } from './places';
import { Sticks } from './sticks';

const hall = Hall.open();
// A pack that is put into use has the daemon open its port anew.
const passing = 'ERR_CONNECTION_REFUSED';
afterEach(() => {
  expect(hall.complaints.filter((complaint) => !complaint.includes(passing))).toEqual([]);
});

/** A kiosk that looks after sticks, its touch screen, and the facilitator's phone. */
async function evening() {
  const sticks = new Sticks();
  onTestFinished(() => sticks.gone());
  const kiosk = await hall.kiosk({ config: `[usb]\nfolder = "${sticks.folder}"\n` });
  const conductor = await Conductor.at(hall, kiosk);
  const touch = await hall.screen(kiosk, 'touch', { context: { reducedMotion: 'reduce' } });
  const phone = await hall.screen(kiosk, 'facilitator', { context: { reducedMotion: 'reduce' } });
  for (const digit of pin) await phone.tap(`pin-${digit}`);
  await phone.tap('pin-enter');
  return { sticks, kiosk, conductor, touch, phone };
}

async function screenings(conductor: Conductor, n: number): Promise<void> {
  for (let i = 1; i <= n; i++) {
    await conductor.plan(`Balai Desa ${i}`);
    await conductor.do({ do: 'moveTo', step: 'ended' });
  }
}

/** Both screens show the phase and the words, whole and readable at every size. */
async function both(touch: Screen, phone: Screen, phase: string, words: string, look = true) {
  const card = phone.page.locator(`.stick[data-phase=${phase}]`);
  await touch.page.locator(`[data-testid=stick][data-phase=${phase}]`).waitFor();
  await card.waitFor();
  await expect.poll(() => touch.words('stick'), { message: 'touch' }).toContain(words);
  await expect.poll(() => card.innerText(), { message: 'facilitator' }).toContain(words);
  if (!look) return;
  for (const size of [
    { width: 800, height: 480 },
    { width: 1280, height: 800 },
  ]) {
    await touch.page.setViewportSize(size);
    await fits(touch, `${phase} at ${size.width}x${size.height}`, true);
    await isWhole(touch, `${phase} at ${size.width}x${size.height}`);
  }
  await isAccessible(touch, phase);
  await fits(phone, phase, false);
  await isAccessible(phone, phase);
}

/** The kiosk's folders on a stick, by name. */
function folders(stick: string): string[] {
  const top = join(stick, 'mimpi-kiosk');
  const kiosk = existsSync(top) ? readdirSync(top).find((name) => name.startsWith('kiosk-')) : null;
  if (!kiosk) return [];
  const all = readdirSync(join(top, kiosk), { withFileTypes: true });
  return all.filter((entry) => entry.isDirectory()).map(({ name }) => join(top, kiosk, name));
}

/** Every folder under a final name is whole, and there are so many. */
function whole(sticks: Sticks, image: string, n: number): void {
  sticks.look(image, (stick) => {
    const found = folders(stick);
    expect(found.map((path) => path.split('/').at(-1))).toHaveLength(n);
    for (const cwd of found) execFileSync('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd });
    expect(existsSync(join(stick, 'LIHAT-SAYA.html'))).toBe(true);
  });
}

/** Waits until so many screenings are on the stick, and stops all writing to it. */
async function inTheMiddle(sticks: Sticks, name: string, n: number): Promise<void> {
  const end = performance.now() + 60_000;
  while (folders(sticks.mounted(name)).filter((path) => !path.includes('/.')).length < n) {
    if (performance.now() > end) throw new Error('nothing comes onto the stick');
    await after(1);
  }
  sticks.freeze(name);
}

async function stopped(kiosk: Kiosk, act: () => void | Promise<void>): Promise<void> {
  kiosk.signal('SIGSTOP');
  await act();
  kiosk.signal('SIGCONT');
}

test('it waits for the film, or for the word of the facilitator', async () => {
  const { sticks, conductor, touch, phone } = await evening();
  await screenings(conductor, 2);
  await conductor.plan();
  await conductor.do({ do: 'moveTo', step: 'film' });
  await conductor.do({ do: 'playFilm' });
  const image = sticks.make(32);
  const name = await sticks.plug(image);
  await phone.tap('stick-line'); // the phone is at the film's tab
  await both(touch, phone, 'waiting', 'menunggu film berhenti');
  await both(touch, phone, 'waiting', 'Jangan cabut dulu.', false);
  await phone.tap('stick-copy');
  await both(touch, phone, 'safe', 'Stik USB boleh dicabut');
  await sticks.pull(name);
  await touch.misses('stick');
  whole(sticks, image, 3);
});

test('pulled out in the middle, and plugged in again', async () => {
  const { sticks, kiosk, conductor, touch, phone } = await evening();
  await screenings(conductor, 24);
  const image = sticks.make(64);
  const name = await sticks.plug(image);
  await inTheMiddle(sticks, name, 3);
  await both(touch, phone, 'copying', 'dari 24 pemutaran');
  await both(touch, phone, 'copying', 'Jangan cabut dulu.', false);
  await stopped(kiosk, async () => {
    sticks.thaw(name);
    await sticks.pull(name);
  });
  await both(
    touch,
    phone,
    'trouble',
    'Stik USB dicabut sebelum selesai. Tidak ada yang hilang di kios.',
  );
  expect(await kiosk.healthy()).toBe(true);
  const again = await sticks.plug(image);
  await both(touch, phone, 'safe', '24 pemutaran ada di stik');
  await sticks.pull(again);
  await touch.misses('stick');
  whole(sticks, image, 24);
});

test('full, and write-protected', async () => {
  const { sticks, conductor, touch, phone } = await evening();
  await screenings(conductor, 12);
  const full = sticks.make(4, (stick) => {
    const free = Number(execFileSync('stat', ['-f', '-c', '%f', stick], { encoding: 'utf8' }));
    const block = Number(execFileSync('stat', ['-f', '-c', '%S', stick], { encoding: 'utf8' }));
    writeFileSync(join(stick, 'foto.jpg'), Buffer.alloc(free * block - 300_000));
  });
  let name = await sticks.plug(full);
  await both(touch, phone, 'trouble', 'Stik USB penuh. Pemutaran terbaru sudah disalin.');
  await both(touch, phone, 'trouble', 'pemutaran lama belum ada di stik.', false);
  await both(touch, phone, 'trouble', 'Stik boleh dicabut.', false);
  await sticks.pull(name);
  await touch.misses('stick');
  sticks.look(full, (stick) => {
    const venues = folders(stick).map((path) => /Balai-Desa-(\d+)/.exec(path)?.[1]);
    expect(venues, 'the newest are there').toContain('12');
    expect(venues, 'the oldest had no room').not.toContain('1');
  });
  name = await sticks.plug(sticks.make(8), '--read-only');
  await both(touch, phone, 'trouble', 'Stik USB ini tidak bisa ditulisi.');
  await both(touch, phone, 'trouble', 'Stik boleh dicabut.', false);
  await sticks.pull(name);
  await touch.misses('stick');
});

test('a pack is offered, taken with the PIN, and taken back', async () => {
  const { sticks, kiosk, touch, phone } = await evening();
  const image = sticks.make(64, (stick) => {
    const folder = join(stick, 'mimpi-kiosk', 'packs', 'soal-baru');
    cpSync(pack, folder, { recursive: true });
    const file = join(folder, 'pack.toml');
    const text = readFileSync(file, 'utf8');
    const titled = text.replace('Mimpi Beta: bekerja jauh dengan aman', 'Soal baru');
    expect(titled).not.toBe(text);
    writeFileSync(file, titled);
  });
  await sticks.plug(image);
  const offer = phone.at('offer');
  await both(touch, phone, 'safe', 'Stik USB boleh dicabut');
  await expect.poll(() => offer.innerText()).toContain('Soal baru');
  await isAccessible(phone, 'an offer');
  expect(await touch.everything(), 'packs are the facilitator’s business').not.toContain(
    'Soal baru',
  );
  const used = () => phone.page.locator('.pack').innerText();
  for (const [part, title] of [
    [offer, 'Soal baru'],
    [phone.page.locator('.pack'), 'Mimpi Beta'],
  ] as const) {
    const button = part.getByRole('button');
    const label = await button.innerText();
    await button.tap();
    await expect.poll(() => button.innerText(), { message: 'it asks once more' }).not.toBe(label);
    await button.tap();
    await expect.poll(used, { message: 'the pack in use' }).toContain(title);
    await expect.poll(() => kiosk.healthy()).toBe(true);
    await phone.page.locator('.pack').getByRole('button').waitFor();
  }
  await isAccessible(phone, 'back at the earlier pack');
});
