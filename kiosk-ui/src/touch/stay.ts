// A public screen: nothing that a hand does leads out of the page, moves it or marks it.

/** Keys with Ctrl or Cmd that stay: reloading, for whoever looks after the kiosk. */
const allowed = ['r', 'R'];
const ways = ['BrowserBack', 'BrowserForward', 'BrowserHome', 'BrowserSearch', 'ContextMenu'];

/** Gives the way to let go again. */
export function stayHere(): () => void {
  const stop = (event: Event) => event.preventDefault();
  const wheel = (event: WheelEvent) => event.preventDefault();
  const touchMove = (event: TouchEvent) => event.cancelable && event.preventDefault();
  const key = (event: KeyboardEvent) => {
    const combined = (event.ctrlKey || event.metaKey) && !allowed.includes(event.key);
    if (combined || event.altKey || ways.includes(event.key)) event.preventDefault();
  };
  const back = () => history.pushState(null, '');

  const gestures = ['contextmenu', 'dragstart', 'drop', 'dragover', 'selectstart', 'dblclick'];
  gestures.push('gesturestart', 'gesturechange');
  for (const kind of gestures) document.addEventListener(kind, stop);
  document.addEventListener('wheel', wheel, { passive: false });
  document.addEventListener('touchmove', touchMove, { passive: false });
  addEventListener('keydown', key);
  back(); // so that "back" comes to this very page
  addEventListener('popstate', back);

  return () => {
    for (const kind of gestures) document.removeEventListener(kind, stop);
    document.removeEventListener('wheel', wheel);
    document.removeEventListener('touchmove', touchMove);
    removeEventListener('keydown', key);
    removeEventListener('popstate', back);
  };
}
