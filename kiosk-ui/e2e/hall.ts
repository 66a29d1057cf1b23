// A hall: kiosks, screens and phones of one test. They end with the test; what a failed test
// saw (screenshots, the daemon's output) stays in build/e2e.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Role } from '../src/lib/protocol';
import { Kiosk, type Options } from './kiosk';
import { chromiumPath, leftovers } from './places';
import { Wire } from './wire';

export type Kind = Role | 'check' | 'summary' | 'start' | 'guidebook' | 'record';

/** A name of somebody else's that leads to this machine, as after a rebinding of DNS. */
export const foreignName = 'rebound.example';

const sizes: Record<Kind, BrowserContextOptions> = {
  stage: { viewport: { width: 1280, height: 720 } },
  start: { viewport: { width: 1280, height: 720 }, hasTouch: true },
  touch: { viewport: { width: 1280, height: 800 }, hasTouch: true },
  check: { viewport: { width: 800, height: 480 }, hasTouch: true },
  facilitator: phone(),
  vote: phone(),
  guidebook: phone(),
  record: phone(),
  summary: { viewport: { width: 1280, height: 800 }, hasTouch: true },
};

function phone(): BrowserContextOptions {
  return {
    viewport: { width: 360, height: 740 },
    deviceScaleFactor: 2,
    hasTouch: true,
    isMobile: true,
  };
}

/** The words as they are seen: what is hidden is not among them. */
export function seen(part: Locator): Promise<string> {
  return part.innerText();
}

/** A message from a page to the kiosk. */
export interface Sent {
  id: string;
  do: string;
  choices?: string[];
  key?: string;
  category?: string;
}

/** One page, and everything that went wrong in it. */
export class Screen {
  readonly page: Page;
  readonly name: string;
  readonly address: string;
  /** Errors in its console (the content policy complains there too). */
  readonly complaints: string[] = [];
  /** Requests that went anywhere but to the kiosk. */
  readonly abroad: string[] = [];
  /** Commands that it sent, by id, however often. */
  readonly sent = new Map<string, Sent>();
  /** What the kiosk answered, by id: "done", or the reason of the refusal. */
  readonly answers = new Map<string, string>();
  /** Every view that the kiosk has sent it, as it came. */
  readonly views: string[] = [];

  constructor(page: Page, name: string, address: string) {
    this.page = page;
    this.name = name;
    this.address = address;
    page.on('console', (said) => {
      if (said.type() === 'error') this.complaints.push(`${said.text()} ${said.location().url}`);
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${address}/`) && !url.startsWith('blob:')) this.abroad.push(url);
    });
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        const message: Sent = JSON.parse(String(payload));
        if (message.do !== 'ping' && message.do !== 'reportPlayer')
          this.sent.set(message.id, message);
      });
      socket.on('framereceived', ({ payload }) => {
        const message = JSON.parse(String(payload));
        if (message.type === 'view') this.views.push(String(payload));
        if (message.type === 'done') this.answers.set(message.id, 'done');
        if (message.type === 'refused') this.answers.set(message.id, message.reason);
      });
    });
  }

  /** The element with this data-testid. */
  at(id: string): Locator {
    return this.page.getByTestId(id);
  }

  async tap(id: string): Promise<void> {
    await this.at(id).tap();
  }

  /** Waits until it is seen. */
  async sees(id: string): Promise<void> {
    await this.at(id).first().waitFor();
  }

  /** Waits until it is not seen. */
  async misses(id: string): Promise<void> {
    await this.at(id).first().waitFor({ state: 'hidden' });
  }

  /** Waits until the element reads exactly so. */
  async reads(id: string, words: string | number): Promise<void> {
    await expect.poll(() => this.words(id), { message: `${id} on ${this.name}` }).toBe(`${words}`);
  }

  async words(id: string): Promise<string> {
    const found = this.at(id).first();
    return (await found.count()) === 0 ? '(not there)' : (await seen(found)).trim();
  }

  /** Everything that can be read on it. */
  async everything(): Promise<string> {
    return seen(this.page.locator('body'));
  }

  /** Commands of a kind that were sent, and how the kiosk answered. */
  outcomes(kind: string): Map<string, string> {
    const mine = [...this.sent.values()].filter((message) => message.do === kind);
    return new Map(mine.map(({ id }) => [id, this.answers.get(id) ?? 'no answer']));
  }
}

export interface Opening {
  name?: string;
  /** In place of the kiosk's own: a wire, another address of the machine. */
  address?: string;
  path?: string;
  context?: BrowserContextOptions;
  /** Runs in the page before any script of its own. */
  before?: () => void;
  /** A page in the same browser profile as this screen, so with its cookies. */
  beside?: Screen;
}

export class Hall {
  #browser: Browser | null = null;
  #kiosks: Kiosk[] = [];
  #wires: Wire[] = [];
  #screens: Screen[] = [];

  /** Call it at the top of a test file. */
  static open(): Hall {
    const hall = new Hall();
    beforeAll(async () => {
      hall.#browser = await chromium.launch({
        executablePath: chromiumPath,
        args: [
          '--no-sandbox',
          '--disable-gpu',
          '--disable-quic',
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
          `--host-resolver-rules=MAP ${foreignName} 127.0.0.1`,
          '--autoplay-policy=no-user-gesture-required',
          // a microphone that beeps, and nobody to ask for it
          '--use-fake-device-for-media-stream',
          '--use-fake-ui-for-media-stream',
        ],
      });
    });
    afterEach(async ({ task }) => {
      if (task.result?.state === 'fail') await hall.#keep(task.name);
      await hall.#clear();
    });
    afterAll(async () => {
      await hall.#browser?.close();
    });
    return hall;
  }

  async kiosk(options: Options = {}): Promise<Kiosk> {
    const kiosk = await Kiosk.start(options);
    this.#kiosks.push(kiosk);
    return kiosk;
  }

  async wire(kiosk: Kiosk): Promise<Wire> {
    const wire = await Wire.to(kiosk.port);
    this.#wires.push(wire);
    return wire;
  }

  async screen(kiosk: Kiosk, kind: Kind, opening: Opening = {}): Promise<Screen> {
    if (!this.#browser) throw new Error('the hall is not open yet');
    const address = opening.address ?? kiosk.address;
    const context =
      opening.beside?.page.context() ??
      (await this.#browser.newContext({
        locale: 'id-ID',
        timezoneId: 'Asia/Makassar',
        acceptDownloads: true,
        ...sizes[kind],
        ...opening.context,
      }));
    context.setDefaultTimeout(60_000);
    const page = await context.newPage();
    if (opening.before) await page.addInitScript(opening.before);
    const screen = new Screen(page, opening.name ?? kind, address);
    this.#screens.push(screen);
    await page.goto(address + (opening.path ?? (kind === 'start' ? '/' : `/${kind}`)));
    return screen;
  }

  /** No screen said an error, and none asked anybody but the kiosk for anything. */
  get complaints(): string[] {
    const shown = this.#screens.filter(({ name }) => name !== 'conductor');
    return shown.flatMap(({ name, complaints, abroad }) => [
      ...complaints.map((words) => `${name}: ${words}`),
      ...abroad.map((url) => `${name} asked ${url}`),
    ]);
  }

  async #keep(test: string): Promise<void> {
    const folder = join(leftovers, test.replace(/[^a-z0-9]+/gi, '-').slice(0, 60));
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const [n, { page, name }] of this.#screens.entries()) {
      const path = join(folder, `${n}-${name}.png`);
      await page.screenshot({ path, timeout: 5_000 }).catch(() => undefined); // it may be gone
    }
    for (const [n, kiosk] of this.#kiosks.entries()) {
      writeFileSync(join(folder, `kiosk-${n}.log`), kiosk.said);
      console.log(`the daemon said:\n${kiosk.said.slice(-6_000)}`);
    }
    const complaints = this.complaints;
    if (complaints.length > 0) console.log(`the screens said:\n${complaints.join('\n')}`);
    console.log(`screenshots and the daemon's output are in ${folder}`);
  }

  async #clear(): Promise<void> {
    const contexts = new Set(this.#screens.map(({ page }) => page.context()));
    for (const context of contexts) {
      // Now and then Chromium does not answer for a page that is just loading; it ends with the browser.
      await Promise.race([context.close(), after(10_000, undefined, { ref: false })]);
    }
    for (const wire of this.#wires) await wire.gone();
    for (const kiosk of this.#kiosks) await kiosk.gone();
    this.#screens = [];
    this.#wires = [];
    this.#kiosks = [];
  }
}
