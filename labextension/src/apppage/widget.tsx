import type { ILabStatus } from '@jupyterlab/application';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { AppActions } from '../apps/actions';
import type { AppsModel } from '../apps/model';
import { confirm } from '../common/ask';
import type { LoadEditor } from '../common/code';
import { gofastapiIcon } from '../common/icons';
import { MainPage } from '../common/mainPage';
import type { TranslationBundle } from '../common/translation';
import { AppPageModel } from './model';
import type { IPage } from './page';
import { AppPageView } from './view';

/** The page of one app, as a tab of the main area. */
export class AppPage extends MainPage<AppPageModel> {
  constructor(options: {
    app: string;
    apps: AppsModel;
    trans: TranslationBundle;
    commands: CommandRegistry;
    loadEditor: LoadEditor;
    status: ILabStatus | null;
  }) {
    const { app, apps, status, ...shared } = options;
    const id = `gofastapi-page-${app}`;
    const model = new AppPageModel(app, apps);
    const page: IPage = { model, actions: new AppActions(apps, options.trans), ...shared };
    super(id, model, <AppPageView page={page} id={id} />);
    this._trans = shared.trans;
    this._status = status;
    this.title.icon = gofastapiIcon;
    this._label();
    apps.changed.connect(this._label, this);
    model.environment.changed.connect(this._mark, this);
    model.settings.changed.connect(this._mark, this);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.apps.changed.disconnect(this._label, this);
      this._dirty?.dispose();
      super.dispose();
    }
  }

  protected override onCloseRequest(message: Message): void {
    void this._mayClose().then(may => may && super.onCloseRequest(message));
  }

  /** Whether nothing is lost that somebody has entered, or they want it so. */
  private async _mayClose(): Promise<boolean> {
    const { app, hasChanges, environment } = this.model;
    const trans = this._trans;
    return (
      !hasChanges ||
      confirm({
        trans,
        title: trans.__('Close the page of %1?', app),
        body: environment.changes.isEmpty
          ? trans.__('Changes to its settings are not saved yet, and would be lost.')
          : trans.__('Changes to its variables are not saved yet, and would be lost.'),
        action: trans.__('Close without saving'),
        warn: true
      })
    );
  }

  /** Show that there is something to save; leaving JupyterLab asks then, too. */
  private _mark(): void {
    const { hasChanges } = this.model;
    this.title.className = hasChanges ? 'jp-mod-dirty' : '';
    if (!hasChanges) {
      this._dirty?.dispose();
      this._dirty = null;
    } else {
      this._dirty ??= this._status?.setDirty() ?? null;
    }
  }

  private _label(): void {
    const { app, entry } = this.model;
    this.title.label = entry?.view.title ?? app;
    this.title.caption = entry?.view.url ?? app;
    this.content.node.setAttribute('aria-label', this._trans.__('App %1', this.title.label));
    // Nothing of an app that is gone can be saved.
    this._mark();
  }

  private _dirty: IDisposable | null = null;
  private readonly _status: ILabStatus | null;
  private readonly _trans: TranslationBundle;
}
