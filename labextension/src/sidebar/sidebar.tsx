import { ReactWidget } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import { Menu } from '@lumino/widgets';
import * as React from 'react';

import { AppsModel } from '../apps/model';
import { CommandIDs } from '../commands';
import { keepFocus } from '../common/focus';
import type { TranslationBundle } from '../common/translation';
import type { Sort } from './arrange';
import { SidebarView } from './view';

const DRAWN_MS = 50;

/** The sidebar: all apps as cards. Follows what happens while it is shown, and only then. */
export class Sidebar extends ReactWidget {
  constructor(
    private readonly _commands: CommandRegistry,
    private readonly _apps: AppsModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('gf-SidebarPanel');
    this.node.tabIndex = -1;
    keepFocus(this.node);
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _trans.__('GoFastAPI apps'));
  }

  get sort(): Sort {
    return this._sort;
  }

  set sort(sort: Sort) {
    this._sort = sort;
    this.update();
  }

  /** Emitted when the person chooses another order. */
  get sortChosen(): ISignal<this, Sort> {
    return this._sortChosen;
  }

  protected override onBeforeShow(): void {
    this._watching ??= this._apps.watch();
  }

  protected override onAfterHide(): void {
    this._watching?.dispose();
    this._watching = null;
  }

  protected override onActivateRequest(): void {
    const first = this.node.querySelector<HTMLElement>('.gf-App-name[tabindex="0"], .gf-Empty button');
    (first ?? this.node).focus();
    if (first === null && !this._apps.isReady) {
      // The list only comes: the same again once it is drawn, where the person has not gone elsewhere.
      const again = () => {
        this._apps.changed.disconnect(again);
        setTimeout(() => this.node.contains(document.activeElement) && this.onActivateRequest(), DRAWN_MS);
      };
      this._apps.changed.connect(again);
    }
  }

  override dispose(): void {
    this.onAfterHide();
    super.dispose();
  }

  protected override render(): React.ReactElement {
    return (
      <SidebarView
        apps={this._apps}
        commands={this._commands}
        trans={this._trans}
        sort={this._sort}
        onSort={sort => {
          this.sort = sort;
          this._sortChosen.emit(sort);
        }}
        onMenu={(app, x, y) => this._menu(app).open(x, y)}
      />
    );
  }

  private _menu(app: string): Menu {
    const menu = new Menu({ commands: this._commands });
    menu.addClass('gf-AppMenu');
    const args = { app, menu: true };
    const items = [
      [CommandIDs.openApp, CommandIDs.openPage, CommandIDs.copyUrl],
      [CommandIDs.editCode, CommandIDs.openFiles, CommandIDs.showLogs],
      [CommandIDs.start, CommandIDs.stop, CommandIDs.restart],
      [CommandIDs.clone, CommandIDs.remove]
    ];
    for (const [index, group] of items.entries()) {
      if (index > 0) {
        menu.addItem({ type: 'separator' });
      }
      for (const command of group) {
        // An area that is switched off brings no commands; what does not fit the app's state is no choice.
        if (this._commands.hasCommand(command) && this._commands.isEnabled(command, args)) {
          menu.addItem({ command, args });
        }
      }
    }
    menu.aboutToClose.connect(() => requestAnimationFrame(() => menu.dispose()));
    return menu;
  }

  private _sort: Sort = 'name';
  private _watching: IDisposable | null = null;
  private readonly _sortChosen = new Signal<this, Sort>(this);
}
