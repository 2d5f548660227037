import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import type { FileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import { MessageLoop } from '@lumino/messaging';

import { CommandIDs } from '../commands';
import type { TranslationBundle } from '../common/translation';
import { furnish } from './browser';
import { appFilesIcon } from './icons';
import type { IParts } from './makeDrive';
import { appOf, DRIVE } from './paths';

/** Its id in the page, and in what JupyterLab remembers. */
const BROWSER_ID = 'gofastapi-files';
/** Events tell of changes; this is for what they could not tell. */
const REFRESH_EVERY_MS = 300_000;

/** A file browser of the drive in the left sidebar, and the command that shows an app's files in it. */
export function addBrowser(
  app: JupyterFrontEnd,
  factory: IFileBrowserFactory,
  parts: IParts,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): FileBrowser {
  const { commands, shell } = app;
  const browser = factory.createFileBrowser(BROWSER_ID, {
    driveName: DRIVE,
    auto: false,
    refreshInterval: REFRESH_EVERY_MS
  });
  browser.title.icon = appFilesIcon;
  browser.title.label = '';
  browser.title.caption = trans.__('App files');
  browser.node.setAttribute('role', 'region');
  browser.node.setAttribute('aria-label', trans.__('Files of your apps'));
  browser.addClass('gf-Files');
  browser.showFileCheckboxes = false;
  browser.showHiddenFiles = true;
  furnish(browser, parts.apps, commands, trans);
  followWhileShown(browser, parts);
  shell.add(browser, 'left', { rank: 151, type: 'App Files' });
  restorer?.add(browser, BROWSER_ID);
  commands.addCommand(CommandIDs.openFiles, {
    label: args => (args.app ? trans.__('Files of %1', String(args.app)) : trans.__('Show App Files')),
    caption: trans.__("Show an app's files in the file browser"),
    icon: args => (args.palette ? undefined : appFilesIcon),
    describedBy: { args: { type: 'object', properties: { app: { type: 'string' } } } },
    execute: async args => {
      shell.activateById(BROWSER_ID);
      await browser.model.cd(`/${typeof args.app === 'string' ? args.app : ''}`);
      focusFirst(browser);
    }
  });
  return browser;
}

/**
 * Have the browser of the person's own files be the current one again once they are back in the main area. JupyterLab makes
 * what is new in the current one: a notebook from the launcher would become part of an app, or not be made at all.
 */
export function leaveToHome(browser: FileBrowser, home: FileBrowser): void {
  // As if it were clicked on; the tracker of browsers has no other way to be told, and takes the last one for the current.
  const goHome = () => home.node.dispatchEvent(new FocusEvent('focus'));
  goHome();
  let isCurrent = false;
  browser.node.addEventListener('focusin', () => {
    isCurrent = true;
  });
  document.addEventListener('focusin', event => {
    const target = event.target as HTMLElement;
    if (isCurrent && target.closest('#jp-main-dock-panel')) {
      isCurrent = false;
      goHome();
    }
  });
}

/** Select the first file, and have the keyboard go on from there. */
function focusFirst(browser: FileBrowser): void {
  MessageLoop.flush(); // what was read is to be drawn before
  browser.clearSelectedItems();
  // `selectNext` takes it for granted that there is one.
  if (!browser.model.items().next().done) {
    // Its own `selectItemByName` reads the list once more, and may wait for that until the next regular reading.
    browser['listing'].selectNext();
  }
}

/** Keep the list up to date while somebody sees it. */
function followWhileShown(browser: FileBrowser, parts: IParts): void {
  let watching: IDisposable | null = null;
  const refresh = () => {
    const naming = browser.node.querySelector('.jp-DirListing-editor');
    if (naming) {
      // Drawn anew, the list would take the field away in which somebody is typing a name.
      naming.addEventListener('blur', () => setTimeout(refresh), { once: true });
    } else if (browser.isVisible) {
      void browser.model.refresh();
    }
  };
  const look = () => {
    if (browser.isVisible && !watching) {
      watching = parts.apps.watch();
      refresh();
    } else if (!browser.isVisible) {
      watching?.dispose();
      watching = null;
    }
  };
  MessageLoop.installMessageHook(browser, (_, message: Message) => {
    if (['after-show', 'after-hide', 'after-attach', 'before-detach'].includes(message.type)) {
      queueMicrotask(look);
    }
    return true;
  });
  parts.drive.fileChanged.connect(refresh);
  parts.documents.codeChanged.connect((_, changed) => {
    const here = appOf(browser.model.path);
    if (here === changed && !parts.apps.get(changed)) {
      // The app is gone; what is left is the list of the others.
      void browser.model.cd('/').then(refresh);
    } else if (here === null || here === changed) {
      refresh();
    }
  });
}
