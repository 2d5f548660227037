/** The ids of all commands, in one place, so that areas can call each other without importing each other. */
export const CommandIDs = {
  /** Open an app's page in the main area. Args: `{ app: string, tab?: string }`. */
  openPage: 'gofastapi:open-page',
  /** Open an app in the browser. Args: `{ app: string }`. */
  openApp: 'gofastapi:open-app',
  /** Copy an app's address. Args: `{ app: string }`. */
  copyUrl: 'gofastapi:copy-url',
  /** Show an app's log. Args: `{ app: string }`. */
  showLogs: 'gofastapi:show-logs',
  /** Start a stopped app. Args: `{ app: string }`. */
  start: 'gofastapi:start',
  /** Stop an app. Args: `{ app: string }`. */
  stop: 'gofastapi:stop',
  /** Replace an app's processes. Args: `{ app: string }`. */
  restart: 'gofastapi:restart',
  /** A new app with the code of another. Args: `{ app: string }`. */
  clone: 'gofastapi:clone',
  /** Delete an app, after the person has confirmed it. Args: `{ app: string }`. */
  remove: 'gofastapi:delete',
  /** Show the sidebar. */
  showApps: 'gofastapi:show-apps',
  /** Make an app from a template or the current notebook. Args: `{ template?: string, app?: string }`. */
  newApp: 'gofastapi:new-app',
  /** Deploy the example and open it: from nothing to a live app. */
  deployExample: 'gofastapi:deploy-example',
  /** Ask the service again for everything that is shown. */
  refresh: 'gofastapi:refresh',

  /** Deploy the current cell, or the notebook's marked cells. */
  deployCell: 'gofastapi:deploy-cell',
  /**
   * Deploy the notebook's marked cells. Args: `{ app?: string }`, the name it is to get where it has none yet; with it,
   * the notebook may be behind something else.
   */
  deployMarked: 'gofastapi:deploy-marked',
  /**
   * Show a line of a notebook's cell, opening the notebook where it is not. Args: a diagnostic's `cell` as it is, and
   * the text of the line: `{ ...diagnostic.cell, text: diagnostic.source }`, that is
   * `{ notebook?: string, cell_id?: string, label?: string, line?: number, text?: string }`.
   */
  jumpToCell: 'gofastapi:jump-to-cell',
  /** Say what the word under the cursor means, on the line of a magic. */
  magicHelp: 'gofastapi:magic-help',

  /** Deploy an app's draft. Args: `{ app: string }`. */
  deployDraft: 'gofastapi:deploy-draft',
  /** Open an app's code, the file it begins with, in an editor. Args: `{ app: string }`. */
  editCode: 'gofastapi:edit-code',
  /** Show an app's files in the file browser. Args: `{ app: string }`. */
  openFiles: 'gofastapi:open-files',

  /** Open the page of the user's database. Args: `{ collection?: string, branch?: string, tab?: string }`. */
  openData: 'gofastapi:open-data'
} as const;
