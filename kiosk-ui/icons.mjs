// Fills dist/icons: pictures that packs and screens name. Lucide's shapes (ISC) where one
// fits, our own from icons/ for the rest; our own wins when both have the name.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const ink = '#14162b';
const lucide = new URL('./node_modules/lucide-static/', import.meta.url);
const own = new URL('./icons/', import.meta.url);
const dist = process.env.DIST ? pathToFileURL(`${resolve(process.env.DIST)}/`) : null;
const out = new URL('icons/', dist ?? new URL('./dist/', import.meta.url));

/** Our name: Lucide's. The first group is what packs name; see media/ and CONTENT. */
const names = {
  airplane: 'plane',
  book: 'book-open',
  briefcase: 'briefcase',
  camera: 'camera',
  clock: 'clock',
  'hand-heart': 'hand-heart',
  island: 'tree-palm',
  lock: 'lock',
  minus: 'minus',
  'money-off': 'banknote-x',
  office: 'building-2',
  'open-door': 'door-open',
  paper: 'file-text',
  passport: 'book-user',
  phone: 'phone',
  question: 'circle-question-mark',
  'thumb-up': 'thumbs-up',
  warning: 'triangle-alert',

  // how the evening went; see internal/screening/note.go
  bus: 'bus',
  field: 'sprout',
  house: 'house',
  market: 'shopping-basket',
  'no-power': 'zap-off',
  rain: 'cloud-rain',
  sun: 'sun',
  young: 'backpack',

  // the screens
  bars: 'chart-column',
  calendar: 'calendar',
  captions: 'captions',
  button: 'circle-dot',
  check: 'check',
  close: 'x',
  disk: 'hard-drive',
  down: 'chevron-down',
  ear: 'ear',
  download: 'download',
  eye: 'eye',
  facilitator: 'clipboard-check',
  film: 'film',
  flag: 'flag',
  hand: 'hand',
  help: 'life-buoy',
  history: 'history',
  info: 'info',
  languages: 'languages',
  left: 'arrow-left',
  list: 'list',
  microphone: 'mic',
  'log-out': 'log-out',
  message: 'message-circle',
  'new-window': 'external-link',
  pause: 'pause',
  pencil: 'pencil',
  people: 'users-round',
  person: 'user-round',
  'phone-screen': 'smartphone',
  pin: 'map-pin',
  play: 'play',
  plus: 'plus',
  printer: 'printer',
  projector: 'projector',
  'qr-code': 'qr-code',
  rewind: 'rewind',
  right: 'arrow-right',
  settings: 'sliders-horizontal',
  stop: 'circle-stop',
  'skip-ahead': 'fast-forward',
  touch: 'pointer',
  undo: 'undo-2',
  usb: 'usb',
  volume: 'volume-2',
  'volume-off': 'volume-x',
  wheelchair: 'accessibility',
  wifi: 'wifi',
  'wifi-off': 'wifi-off',
  backspace: 'delete',

  // the picture of each digit on the keypad of the PIN
  'pin-0': 'sun',
  'pin-1': 'moon',
  'pin-2': 'fish',
  'pin-3': 'bird',
  'pin-4': 'tree-palm',
  'pin-5': 'house',
  'pin-6': 'star',
  'pin-7': 'flower-2',
  'pin-8': 'key',
  'pin-9': 'sailboat',
};

mkdirSync(out, { recursive: true });
for (const [name, shape] of Object.entries(names)) {
  const drawing = readFileSync(new URL(`icons/${shape}.svg`, lucide), 'utf8');
  writeFileSync(new URL(`${name}.svg`, out), drawing.replace('currentColor', ink));
}
for (const file of readdirSync(own)) copyFileSync(new URL(file, own), new URL(file, out));
copyFileSync(new URL('LICENSE', lucide), new URL('LICENSE', out));
