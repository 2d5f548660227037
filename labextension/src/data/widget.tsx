import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { AppsModel } from '../apps/model';
import type { LoadEditor } from '../common/code';
import { dataIcon } from '../common/icons';
import { keepFocus } from '../common/focus';
import type { TranslationBundle } from '../common/translation';
import { DataModel } from './model';
import { DataView } from './view';

const PAGE_ID = 'gofastapi-data';

/** The page of a person's database, as a tab of the main area. */
export class DataPage extends MainAreaWidget<ReactWidget> {
  constructor(options: {
    apps: AppsModel;
    trans: TranslationBundle;
    commands: CommandRegistry;
    loadEditor: LoadEditor;
  }) {
    const { apps, ...shared } = options;
    const { trans } = shared;
    const model = new DataModel(apps, trans);
    super({ content: ReactWidget.create(<DataView page={{ model, id: PAGE_ID, ...shared }} />) });
    this.model = model;
    this.id = PAGE_ID;
    this.addClass('gf-Page');
    this.addClass('gf-Data');
    this.toolbar.hide();
    this.title.icon = dataIcon;
    this.title.closable = true;
    this.title.label = trans.__('Data');
    this.title.caption = trans.__('Your database');
    this.content.node.setAttribute('aria-label', trans.__('Your data'));
    keepFocus(this.content.node);
  }

  readonly model: DataModel;

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.isShown = true;
  }

  protected override onBeforeHide(message: Message): void {
    super.onBeforeHide(message);
    this.model.isShown = false;
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.model.isShown = this.isVisible;
  }

  protected override onBeforeDetach(message: Message): void {
    super.onBeforeDetach(message);
    this.model.isShown = false;
  }
}
