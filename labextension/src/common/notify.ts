import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';

import { isAbort, messageOf } from '../api/errors';
import { PATIENCE_MS } from './busy';
import type { TranslationBundle } from './translation';

const UNDO_MS = 15_000;
/** JupyterLab cuts off what is longer. */
const LONGEST_NOTIFICATION = 140;

/** Say that something was done, with a button that takes it back, for so long. */
export function notifyUndo(
  message: string,
  trans: TranslationBundle,
  undo: () => void,
  milliseconds = UNDO_MS
): void {
  Notification.success(message, {
    autoClose: milliseconds,
    actions: [{ label: trans.__('Undo'), callback: undo, displayType: 'accent' }]
  });
}

/** Show an error as the API words it, with a way to try again. */
export function notifyError(error: unknown, trans: TranslationBundle, retry?: () => void): void {
  if (!isAbort(error)) {
    notifyProblem(messageOf(error), trans, retry);
  }
}

/** Say what went wrong, however many words it takes, with a way to try again. */
export function notifyProblem(message: string, trans: TranslationBundle, retry?: () => void): void {
  const actions: Notification.IAction[] = [];
  if (message.length > LONGEST_NOTIFICATION) {
    actions.push({
      label: trans.__('Read on'),
      callback: event => {
        event.preventDefault(); // it stays
        void showDialog({
          title: trans.__('What went wrong'),
          body: message,
          buttons: [Dialog.okButton({ label: trans.__('Close') })]
        });
      }
    });
  }
  if (retry) {
    actions.push({ label: trans.__('Try again'), callback: retry });
  }
  Notification.error(message, { autoClose: false, actions });
}

/**
 * Run a task. What takes longer than half a second is shown as under way; its end replaces that.
 *
 * Returns undefined where it failed; the person was told, and can try again: the task, or `again`, where more
 * belongs to it.
 */
export async function withProgress<T>(
  words: { during: string; done?: (result: T) => string },
  trans: TranslationBundle,
  task: () => Promise<T>,
  again: () => void = () => void withProgress(words, trans, task)
): Promise<T | undefined> {
  let shown: string | null = null;
  const timer = setTimeout(() => {
    shown = Notification.emit(words.during, 'in-progress', { autoClose: false });
  }, PATIENCE_MS);
  try {
    const result = await task();
    clearTimeout(timer);
    if (words.done) {
      say(shown, words.done(result));
    } else if (shown) {
      Notification.dismiss(shown);
    }
    return result;
  } catch (error) {
    clearTimeout(timer);
    if (shown) {
      Notification.dismiss(shown);
    }
    notifyError(error, trans, again);
    return undefined;
  }
}

function say(shown: string | null, message: string): void {
  if (shown) {
    Notification.update({ id: shown, message, type: 'success', autoClose: 4000 });
  } else {
    notifyDone(message);
  }
}

/** Say that something was done. */
export function notifyDone(message: string): void {
  Notification.success(message, { autoClose: 4000 });
}
