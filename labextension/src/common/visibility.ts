import { DisposableDelegate, IDisposable } from '@lumino/disposable';

/**
 * Run something while the page is visible: `start` at once and each time the page comes back, its signal aborted each
 * time it is hidden, and when the returned disposable is disposed of.
 */
export function whileVisible(start: (signal: AbortSignal) => void): IDisposable {
  let running: AbortController | null = null;
  const look = () => {
    if (document.visibilityState === 'visible') {
      if (running === null) {
        running = new AbortController();
        start(running.signal);
      }
    } else {
      running?.abort();
      running = null;
    }
  };
  document.addEventListener('visibilitychange', look);
  look();
  return new DisposableDelegate(() => {
    document.removeEventListener('visibilitychange', look);
    running?.abort();
    running = null;
  });
}
