import { Notification } from '@jupyterlab/apputils';

import { Client, ServerState } from '../api/client';
import { VERSION } from '../api/version';
import type { TranslationBundle } from '../common/translation';

/** What to tell of the other half, where it is missing or of another version; null where there is nothing to tell. */
export function serverMessage(state: ServerState, trans: TranslationBundle): string | null {
  switch (state.kind) {
    case 'missing':
      return trans.__(
        'This Jupyter server does not have GoFastAPI. Install it there: pip install "gofastapi[lab]", then restart the server.'
      );
    case 'other-version':
      return trans.__(
        'GoFastAPI is %1 in this page and %2 in the service. Reload the page, or run: gofastapi up --restart',
        VERSION,
        state.version
      );
    default:
      return null;
  }
}

/** Tell it, once for each state, and take it back when all is well. */
export function tellOfServer(client: Client, trans: TranslationBundle): void {
  let shown: string | null = null;
  client.serverChanged.connect((_, state) => {
    if (shown !== null) {
      Notification.dismiss(shown);
      shown = null;
    }
    const message = serverMessage(state, trans);
    if (message !== null) {
      shown = Notification.warning(message, { autoClose: false });
    }
  });
}
