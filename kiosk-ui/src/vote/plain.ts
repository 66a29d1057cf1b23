// The plain form while there is no live line. In a window that can have none (an iPhone's
// captive portal) the form stays, and the page is loaded again now and then, so that the
// next question comes by itself.

const every = 8_000; // ms

/** Whether somebody has ticked something that is not sent yet. */
export function ticked(): boolean {
  const boxes = [...document.querySelectorAll<HTMLInputElement>('.plain input[type="checkbox"]')];
  return boxes.some((box) => box.checked !== box.defaultChecked);
}

/** Where the page is loaded from: the same, without "your answer was saved". */
export function freshAddress(address: string): string {
  const url = new URL(address);
  url.searchParams.delete('said');
  return url.href;
}

/** Starts the reloading; gives the way to stop it. */
export function keepFresh(load = (address: string) => location.replace(address)): () => void {
  const timer = setInterval(() => {
    if (!ticked() && document.visibilityState !== 'hidden') load(freshAddress(location.href));
  }, every);
  return () => clearInterval(timer);
}
