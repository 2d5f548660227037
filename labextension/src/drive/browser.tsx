import { ReactWidget } from '@jupyterlab/apputils';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import { addIcon, Button, newFolderIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { ISignal, Signal } from '@lumino/signaling';
import type { PanelLayout } from '@lumino/widgets';
import * as React from 'react';

import type { AppsModel } from '../apps/model';
import { CommandIDs } from '../commands';
import { ErrorNotice, Notice } from '../common/notice';
import type { TranslationBundle } from '../common/translation';
import { useSignal } from '../common/useSignal';
import { ActionButton, uploadButton } from './button';
import { deployIcon } from './icons';
import { appOf } from './paths';

/** What goes wrong in a file browser, to be shown above it. */
class Trouble {
  constructor(private readonly _browser: FileBrowser) {
    const { model } = _browser;
    model.connectionFailure.connect((_, error) => this._set(error));
    model.refreshed.connect(() => this._set(null));
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get error(): Error | null {
    return this._error;
  }

  retry(): void {
    void this._browser.model.refresh();
  }

  private _set(error: Error | null): void {
    if (this._error !== error) {
      this._error = error;
      this._changed.emit();
    }
  }

  private _error: Error | null = null;
  private readonly _changed = new Signal<this, void>(this);
}

/** Give the file browser its toolbar, and words where it is empty or cannot be read. */
export function furnish(
  browser: FileBrowser,
  apps: AppsModel,
  commands: CommandRegistry,
  trans: TranslationBundle
): void {
  const app = () => appOf(browser.model.path);
  const items = {
    'new-file': new ActionButton({
      icon: addIcon,
      tooltip: trans.__('New Python file'),
      onClick: () => void browser.createNewFile({ ext: 'py' }).catch(() => undefined)
    }),
    'new-folder': new ActionButton({
      icon: newFolderIcon,
      tooltip: trans.__('New folder; at the top: a new app'),
      onClick: () => void browser.createNewDirectory().catch(() => undefined)
    }),
    upload: uploadButton(browser.model, trans),
    refresh: new ActionButton({
      icon: refreshIcon,
      tooltip: trans.__('Look again'),
      onClick: () => void browser.model.refresh()
    }),
    deploy: new ActionButton({
      icon: deployIcon,
      label: trans.__('Deploy'),
      tooltip: trans.__('Save, and bring this app live with its latest code'),
      onClick: () => void commands.execute(CommandIDs.deployDraft, { app: app() })
    })
  };
  for (const [name, item] of Object.entries(items)) {
    browser.toolbar.addItem(name, item);
  }
  const update = () => {
    const isInApp = app() !== null;
    items['new-file'].enabled = isInApp;
    items.upload.enabled = isInApp;
    items.deploy.enabled = isInApp;
  };
  browser.model.pathChanged.connect(update);
  update();
  const notice = ReactWidget.create(
    <BrowserNotice
      browser={browser}
      trouble={new Trouble(browser)}
      apps={apps}
      commands={commands}
      trans={trans}
    />
  );
  const layout = browser.layout as PanelLayout;
  layout.insertWidget(layout.widgets.length - 1, notice);
}

function BrowserNotice(props: {
  browser: FileBrowser;
  trouble: Trouble;
  apps: AppsModel;
  commands: CommandRegistry;
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { browser, trouble, apps, commands, trans } = props;
  useSignal(trouble.changed);
  useSignal(apps.changed);
  useSignal(browser.model.refreshed);
  if (trouble.error) {
    return <ErrorNotice error={trouble.error} trans={trans} onRetry={() => trouble.retry()} />;
  }
  const app = appOf(browser.model.path);
  if (app === null && apps.isReady && apps.apps.length === 0) {
    return (
      <Notice>
        <p>{trans.__('No apps yet. Each app is a folder here, with its code in it.')}</p>
        {commands.hasCommand(CommandIDs.newApp) && (
          <Button className="jp-mod-styled" onClick={() => void commands.execute(CommandIDs.newApp)}>
            {trans.__('New app')}
          </Button>
        )}
      </Notice>
    );
  }
  return null;
}
