// Who may do what: foreign pages, foreign names, and phones.
import { createServer, request, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Conductor, pin } from './conductor';
import { foreignName, Hall } from './hall';
import { listening } from './kiosk';

const hall = Hall.open();

/** Tries to open a socket from inside a page; gives whether it opened. */
function opensSocket(page: Page, url: string): Promise<boolean> {
  return page.evaluate(
    (to) =>
      new Promise<boolean>((done) => {
        const socket = new WebSocket(to);
        socket.onopen = () => {
          socket.close();
          done(true);
        };
        socket.onerror = () => done(false);
      }),
    url,
  );
}

describe('a page of a foreign origin, open in the kiosk’s own browser', () => {
  let server: Server;
  let foreign: string;
  beforeAll(async () => {
    server = createServer((_, answer) => {
      answer.setHeader('Content-Type', 'text/html');
      answer.end('<!doctype html><title>foreign</title><iframe></iframe>');
    });
    foreign = `http://127.0.0.1:${await listening(server)}`;
  });
  afterAll(() => server.close());

  test('opens no socket, though the facilitator is signed in there', async () => {
    const kiosk = await hall.kiosk();
    const conductor = await Conductor.at(hall, kiosk);
    await conductor.plan();
    // Cookies do not look at ports: the foreign page has the facilitator's.
    const page = await conductor.screen.page.context().newPage();
    await page.goto(foreign);
    const ws = kiosk.address.replace('http', 'ws');
    for (const role of ['stage', 'touch', 'facilitator', 'vote']) {
      expect(await opensSocket(page, `${ws}/ws?role=${role}`), role).toBe(false);
    }
    // The same from the kiosk's own page opens, so it was the origin that was refused.
    for (const role of ['stage', 'touch', 'facilitator']) {
      expect(await opensSocket(conductor.screen.page, `${ws}/ws?role=${role}`), role).toBe(true);
    }
  });

  test('posts nothing: no PIN, no sign-out, no ballot', async () => {
    const kiosk = await hall.kiosk();
    const screen = await hall.screen(kiosk, 'start', { address: foreign });
    const post = (path: string, body: string, type: string) =>
      screen.page.evaluate(
        ([url, text, contentType]) =>
          fetch(url, {
            method: 'POST',
            mode: 'no-cors',
            credentials: 'include',
            headers: { 'Content-Type': contentType },
            body: text,
          }).then(
            () => undefined,
            () => undefined, // what came back is hidden from the page either way
          ),
        [kiosk.address + path, body, type] as const,
      );
    const state = async () => (await fetch(`${kiosk.address}/api/sign-in`)).json();

    await post('/api/pin', JSON.stringify({ pin: '111111' }), 'text/plain');
    expect(await state()).toMatchObject({ pinSet: false, maySetPin: true });

    const conductor = await Conductor.at(hall, kiosk);
    await conductor.ask('k1');
    await post('/api/sign-out', '', 'text/plain');
    expect((await conductor.view()).current?.id).toBe('k1');

    // A ballot in the name of a phone that has its token in this browser.
    const phone = await hall.screen(kiosk, 'vote', { beside: screen });
    expect(await phone.page.context().cookies()).not.toHaveLength(0);
    const id = (await conductor.view()).screening?.id ?? '';
    const ballot = new URLSearchParams({ screening: id, question: 'k1', round: '1', choice: '18' });
    await post('/vote', ballot.toString(), 'application/x-www-form-urlencoded');
    expect((await conductor.view()).current?.ballots).toBe(0);

    // A form that takes the whole window there is turned away with a sentence.
    const [answer] = await Promise.all([
      screen.page.waitForResponse((r) => r.url() === `${kiosk.address}/vote`),
      screen.page.evaluate(
        ([action, fields]) => {
          const form = document.createElement('form');
          form.method = 'post';
          form.action = action;
          for (const [name, value] of fields) {
            const input = document.createElement('input');
            input.name = name;
            input.value = value;
            form.append(input);
          }
          document.body.append(form);
          form.submit();
        },
        [`${kiosk.address}/vote`, [...ballot]] as const,
      ),
    ]);
    expect(answer.status()).toBe(403);
    await expect.poll(() => screen.everything()).toContain('halaman lain');
    expect((await conductor.view()).current?.ballots).toBe(0);

    // The same ballot from the kiosk's own page counts, so it was the origin that was refused.
    await phone.page.evaluate(
      (fields) => fetch('/vote', { method: 'POST', body: new URLSearchParams(fields) }),
      ballot.toString(),
    );
    expect((await conductor.view()).current?.ballots).toBe(1);
  });

  test('cannot put a screen of the kiosk into a frame', async () => {
    const kiosk = await hall.kiosk();
    const screen = await hall.screen(kiosk, 'start', { address: foreign });
    await screen.page.evaluate((url) => {
      const frame = document.querySelector('iframe');
      if (frame) frame.src = url;
    }, `${kiosk.address}/touch`);
    await expect.poll(() => screen.complaints.join()).toContain('frame-ancestors');
    const inside = screen.page.frames()[1];
    expect(await inside?.locator('[data-testid]').count()).toBe(0);
  });
});

describe('a name that is not the kiosk’s', () => {
  test('is answered 421, also when it leads to loopback', async () => {
    const kiosk = await hall.kiosk();
    const start = await hall.screen(kiosk, 'start', { path: '/' });
    for (const path of ['/', '/touch', '/stage', '/vote', '/film', '/api/sign-in']) {
      const answer = await start.page.goto(`http://${foreignName}:${kiosk.port}${path}`);
      expect(answer?.status(), path).toBe(421);
    }
    const page = start.page;
    expect(await start.everything()).toContain('Pindai kode QR');
    expect(await opensSocket(page, `ws://${foreignName}:${kiosk.port}/ws?role=touch`)).toBe(false);

    const status = (host: string) =>
      new Promise<number | undefined>((done, failed) => {
        const call = request(
          { host: '127.0.0.1', port: kiosk.port, path: '/touch', headers: { Host: host } },
          (answer) => {
            answer.resume();
            done(answer.statusCode);
          },
        );
        call.on('error', failed).end();
      });
    expect(await status('evil.example')).toBe(421);
    expect(await status('evil.example:80')).toBe(421);
    expect(await status('[::1]evil.example')).toBe(421);
    expect(await status(`localhost:${kiosk.port}`)).toBe(200);
    expect(await status(`127.0.0.1:${kiosk.port}`)).toBe(200);
  });
});

/** An address of this machine that is not loopback: what comes by it is no longer "own". */
function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((a) => a && !a.internal && a.family === 'IPv4')?.address;
}

describe('a phone', () => {
  const own = ownAddress();
  if (!own) console.warn('no phone is tried: this machine has no address but loopback');

  test.skipIf(!own)('gets to vote, and nothing else', async () => {
    const kiosk = await hall.kiosk({ everywhere: true });
    const address = `http://${own}:${kiosk.port}`;
    const conductor = await Conductor.at(hall, kiosk);
    await conductor.ask('k1');
    for (const path of ['/', '/stage', '/touch']) {
      const phone = await hall.screen(kiosk, 'vote', { address, path, name: `phone at ${path}` });
      expect(new URL(phone.page.url()).pathname, path).toBe('/vote');
      await phone.sees('option-18');
    }

    const phone = await hall.screen(kiosk, 'vote', { address });
    const ws = address.replace('http', 'ws');
    for (const role of ['stage', 'touch', 'facilitator']) {
      expect(await opensSocket(phone.page, `${ws}/ws?role=${role}`), role).toBe(false);
    }
    expect(await opensSocket(phone.page, `${ws}/ws?role=vote`)).toBe(true);
    const status = (path: string, init: { method?: string; body?: string } = {}) =>
      phone.page.evaluate(([to, how]) => fetch(to, how).then((answer) => answer.status), [
        path,
        init,
      ] as const);
    expect(await status('/film')).toBe(404);
    expect(await status('/metrics')).toBe(404);
    expect(await status('/api/summary')).toBe(401);
    expect(await status('/api/screenings')).toBe(401);
    expect(await status('/api/export.zip')).toBe(401);
    // The PIN that lets a facilitator in cannot be changed without knowing it.
    const body = JSON.stringify({ pin: '999999' });
    expect(await status('/api/pin', { method: 'POST', body })).toBe(401);

    await phone.tap('option-18');
    await phone.sees('saved');
    expect((await conductor.view()).current?.ballots).toBe(1);
  });

  test.skipIf(!own)(
    'becomes the facilitator’s by the PIN, and is locked out when it guesses',
    async () => {
      const kiosk = await hall.kiosk({ everywhere: true });
      const address = `http://${own}:${kiosk.port}`;
      await Conductor.at(hall, kiosk);
      const guesser = await hall.screen(kiosk, 'facilitator', { address, name: 'guesser' });
      const enter = async (digits: string) => {
        for (const digit of digits) await guesser.tap(`pin-${digit}`);
        await guesser.tap('pin-enter');
      };
      for (let guess = 0; (await guesser.at('locked').count()) === 0; guess++) {
        expect(guess, 'wrong PINs until it is locked').toBeLessThan(10);
        const answered = guesser.page.waitForResponse((r) => r.url().endsWith('/api/sign-in'));
        await enter(`11111${guess}`);
        await answered;
        await guesser.sees('refusal');
      }
      expect(await guesser.at('pin-1').isDisabled()).toBe(true);

      // The kiosk's own screen is another client: it is not locked by what a phone does.
      const box = await hall.screen(kiosk, 'facilitator', { name: 'own screen' });
      for (const digit of pin) await box.tap(`pin-${digit}`);
      await box.tap('pin-enter');
      await box.sees('next');
    },
  );
});
