import { MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import type * as React from 'react';

import { keepFocus } from './focus';
import type { PageModel } from './pageModel';

/** A page of ours as a tab of the main area, which tells its model whether it is in view. */
export class MainPage<M extends PageModel> extends MainAreaWidget<ReactWidget> {
  constructor(id: string, model: M, view: React.ReactElement) {
    super({ content: ReactWidget.create(view) });
    this.model = model;
    this.id = id;
    this.addClass('gf-Page');
    this.toolbar.hide();
    this.title.closable = true;
    keepFocus(this.content.node);
  }

  readonly model: M;

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
