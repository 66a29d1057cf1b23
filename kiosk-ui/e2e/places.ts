// Where things are. KIOSK and CHROMIUM name other programs.
import { resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');
export const daemon = process.env.KIOSK ?? resolve(root, 'build/mimpi-kiosk');
export const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const film = resolve(root, 'media/demo-film');
export const filmFile = resolve(film, 'film.mp4');
export const pack = resolve(root, 'media/mimpi-beta');
/** Pictures for the README. */
export const pictures = resolve(root, 'build/screenshots');
/** What is left of a test that failed: screenshots and the daemon's output. */
export const leftovers = resolve(root, 'build/e2e');
