import { Clipboard, Notification } from '@jupyterlab/apputils';

import type { TranslationBundle } from './translation';

/** Copy a text, and say so. */
export function copy(text: string, place: { readonly trans: TranslationBundle }): void {
  Clipboard.copyToSystem(text);
  Notification.success(place.trans.__('Copied'), { autoClose: 1500 });
}
