/** The ids of all commands, in one place, so that areas can call each other without importing each other. */
export namespace CommandIDs {
  /** Open an app's page in the main area. Args: `{ app: string, tab?: string }`. */
  export const openPage = 'gofastapi:open-page';
  /** Open an app in the browser. Args: `{ app: string }`. */
  export const openApp = 'gofastapi:open-app';
  /** Copy an app's address. Args: `{ app: string }`. */
  export const copyUrl = 'gofastapi:copy-url';
  /** Show an app's log. Args: `{ app: string }`. */
  export const showLogs = 'gofastapi:show-logs';
  /** Start a stopped app. Args: `{ app: string }`. */
  export const start = 'gofastapi:start';
  /** Stop an app. Args: `{ app: string }`. */
  export const stop = 'gofastapi:stop';
  /** Replace an app's processes. Args: `{ app: string }`. */
  export const restart = 'gofastapi:restart';
  /** A new app with the code of another. Args: `{ app: string }`. */
  export const clone = 'gofastapi:clone';
  /** Delete an app, after the person has confirmed it. Args: `{ app: string }`. */
  export const remove = 'gofastapi:delete';
  /** Show the sidebar. */
  export const showApps = 'gofastapi:show-apps';
  /** Make an app from a template or the current notebook. Args: `{ template?: string, app?: string }`. */
  export const newApp = 'gofastapi:new-app';
  /** Deploy the example and open it: from nothing to a live app. */
  export const deployExample = 'gofastapi:deploy-example';
  /** Ask the service again for everything that is shown. */
  export const refresh = 'gofastapi:refresh';

  /** Deploy the current cell, or the notebook's marked cells. */
  export const deployCell = 'gofastapi:deploy-cell';
  /**
   * Deploy the notebook's marked cells. Args: `{ app?: string }`, the name it is to get where it has none yet; with it,
   * the notebook may be behind something else.
   */
  export const deployMarked = 'gofastapi:deploy-marked';
  /**
   * Show a line of a notebook's cell, opening the notebook where it is not. Args: a diagnostic's `cell` as it is, and
   * the text of the line: `{ ...diagnostic.cell, text: diagnostic.source }`, that is
   * `{ notebook?: string, cell_id?: string, label?: string, line?: number, text?: string }`.
   */
  export const jumpToCell = 'gofastapi:jump-to-cell';
  /** Say what the word under the cursor means, on the line of a magic. */
  export const magicHelp = 'gofastapi:magic-help';

  /** Deploy an app's draft. Args: `{ app: string }`. */
  export const deployDraft = 'gofastapi:deploy-draft';
  /** Open an app's code, the file it begins with, in an editor. Args: `{ app: string }`. */
  export const editCode = 'gofastapi:edit-code';
  /** Show an app's files in the file browser. Args: `{ app: string }`. */
  export const openFiles = 'gofastapi:open-files';

  /** Open the page of the user's database. Args: `{ collection?: string, branch?: string, tab?: string }`. */
  export const openData = 'gofastapi:open-data';
}
