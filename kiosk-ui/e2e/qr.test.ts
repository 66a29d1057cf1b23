// Every QR code on the projector, read from a screenshot as a phone's camera would.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { StageView } from '../src/lib/protocol';
import { Conductor } from './conductor';
import { Hall, type Screen } from './hall';
import { pack } from './places';

const hall = Hall.open();

// With every character that the WIFI: form escapes.
const wifi = { name: 'Kios "Mimpi"; desa\\1, no:2', password: 'rahasia;\\1:2,3"ya' };
const publicURL = 'http://10.42.0.1:8080';
const online = 'https://contoh.go.id/panduan?id=7&bahasa=id';
const config = `
public_url = "${publicURL}"
[wifi]
name = ${JSON.stringify(wifi.name)}
password = ${JSON.stringify(wifi.password)}
`;

/** What zbar reads in a picture, sorted. */
function decode(picture: Buffer, folder: string): string[] {
  const file = join(folder, 'picture.png');
  writeFileSync(file, picture);
  try {
    const said = execFileSync(
      'zbarimg',
      ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', file],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    return said.split('\n').filter(Boolean).sort();
  } catch (error) {
    if ((error as { status?: number }).status === 4) return []; // none found
    throw error;
  }
}

/** Waits until the scene is there and its codes read as they should; then no picture may be more. */
async function shows(stage: Screen, folder: string, scene: StageView['scene'], codes: string[]) {
  await stage.page.locator(`[data-testid=stage][data-scene=${scene}]`).waitFor();
  await expect
    .poll(async () => decode(await stage.page.screenshot(), folder), { message: scene })
    .toEqual([...codes].sort());
  const drawn = stage.page.locator('img[src^="/qr/"]');
  expect(await drawn.count(), `codes in ${scene}`).toBe(codes.length);
}

/** Reads the WIFI: form as telephones do. */
function network(code: string): Record<string, string> {
  expect(code).toMatch(/^WIFI:.*;;$/);
  const fields = [...code.slice(5, -1).matchAll(/([A-Z]+):((?:[^\\;]|\\.)*);/g)];
  return Object.fromEntries(fields.map(([, key, v]) => [key, v?.replace(/\\(.)/g, '$1')]));
}

test('every code on every page of the projector', async () => {
  const packed = mkdtempSync(join(tmpdir(), 'mimpi-pack-'));
  cpSync(pack, packed, { recursive: true });
  onTestFinished(() => rmSync(packed, { recursive: true }));
  const file = join(packed, 'pack.toml');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('public_url = ""');
  writeFileSync(file, text.replace('public_url = ""', `public_url = "${online}"`));
  const kiosk = await hall.kiosk({ config, pack: packed });

  const conductor = await Conductor.at(hall, kiosk);
  const stage = await hall.screen(kiosk, 'stage');
  const folder = kiosk.own('pictures');
  const tel = 'tel:08001000'; // the pack's first help number, 0800-1000
  const vote = `${publicURL}/vote`;

  // The Wi-Fi is taken apart by rules of its own below.
  await stage.page.locator('[data-testid=stage][data-scene=welcome]').waitFor();
  let found: string[] = [];
  await expect
    .poll(async () => {
      found = decode(await stage.page.screenshot(), folder);
      return found.length;
    })
    .toBe(2);
  const wifiCode = found.find((code) => code.startsWith('WIFI:')) ?? '';
  expect(network(wifiCode)).toEqual({ T: 'WPA', S: wifi.name, P: wifi.password });
  expect(found).toContain(vote);

  await conductor.plan();
  await shows(stage, folder, 'welcome', [wifiCode, vote]);
  await conductor.do({ do: 'moveTo', step: 'poll_before' });
  await shows(stage, folder, 'between', [wifiCode, vote]);
  for (const lang of ['id', 'en']) {
    const page = (name: 'auto' | 'join' | 'guidebook' | 'help') =>
      conductor.do({ do: 'setStage', page: name, count: true, lang, silent: false });
    await page('join');
    await shows(stage, folder, 'join', [wifiCode, vote]);
    await page('guidebook');
    await shows(stage, folder, 'guidebook', [`${publicURL}/guidebook`, online]);
    await page('help');
    await shows(stage, folder, 'help', [tel]);
  }

  // The same codes as PNG, for printing.
  const expected: Record<string, string> = {
    wifi: wifiCode,
    vote,
    'guidebook-here': `${publicURL}/guidebook`,
    'guidebook-online': online,
    help: tel,
  };
  const { codes } = await conductor.view();
  expect(codes.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, content] of Object.entries(expected)) {
    const picture = await fetch(`${kiosk.address}/qr/${name}.png`);
    expect(decode(Buffer.from(await picture.arrayBuffer()), folder), name).toEqual([content]);
  }
});

const reachable = Object.values(networkInterfaces())
  .flat()
  .some((a) => a && !a.internal && a.family === 'IPv4');
if (!reachable) console.warn('no phone scans: this machine has no address but loopback');

test.skipIf(!reachable)(
  'without any configuration the code leads a phone to its ballot',
  async () => {
    const kiosk = await hall.kiosk({ everywhere: true });
    const conductor = await Conductor.at(hall, kiosk);
    await conductor.plan();
    const stage = await hall.screen(kiosk, 'stage');
    const folder = kiosk.own('pictures');
    let [vote] = [''];
    await expect
      .poll(async () => {
        [vote = ''] = decode(await stage.page.screenshot(), folder);
        return vote;
      })
      .toMatch(/^http:\/\/[0-9.]+:\d+\/vote$/);
    await conductor.ask('k1');
    const { origin } = new URL(vote);
    expect(origin, 'not an address that only this machine knows').not.toContain('127.0.0.1');
    const phone = await hall.screen(kiosk, 'vote', { address: origin });
    await phone.tap('option-18');
    await stage.reads('ballots', 1);
  },
);
