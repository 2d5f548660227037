import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import * as React from 'react';

import { freeName, problemOf } from '../apps/naming';
import type { TranslationBundle } from '../common/translation';

/** The names that are in use. */
export interface INames {
  /** Of the person's own apps. */
  readonly taken: ReadonlySet<string>;
  /** The same, and those of apps that can be restored: their names are better not suggested. */
  readonly used: ReadonlySet<string>;
}

/** Ask under which name a cell is to be deployed; null where the person thought better of it. */
export async function askName(options: {
  trans: TranslationBundle;
  wanted: string;
  /** They may come late: the question does not wait for them. Where they never come, any name will do. */
  names: Promise<INames>;
}): Promise<string | null> {
  const { trans } = options;
  const body = new NameBody(options.wanted, trans);
  const dialog = new Dialog<string>({
    title: trans.__('Deploy this cell'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Deploy') })
    ],
    focusNodeSelector: 'input'
  });
  dialog.addClass('gf-NameDialog');
  options.names.then(
    names => body.useNames(names),
    () => undefined // the deploy itself starts the service, or says why it cannot
  );
  const result = await dialog.launch();
  return result.button.accept ? result.value : null;
}

class NameBody extends ReactWidget implements Dialog.IBodyWidget<string> {
  constructor(
    private readonly _wanted: string,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this._value = _wanted;
  }

  /** Suggest a free name, unless the person has typed one. */
  useNames(names: INames): void {
    this._taken = names.taken;
    const input = this._input;
    if (input && this._value === this._wanted) {
      input.value = this._value = freeName(this._wanted, names.used);
      input.select();
    }
    this._changed();
  }

  getValue(): string {
    return this._value.trim();
  }

  protected override onAfterAttach(): void {
    this.update();
    requestAnimationFrame(() => {
      this._changed();
      this._input?.select();
    });
  }

  protected override render(): React.ReactElement {
    const trans = this._trans;
    const problem = this._problem();
    const isTaken = problem === 'taken';
    return (
      <div className="gf-Confirm">
        <p>
          {trans.__(
            'It becomes an app with an address of its own. The name stays with it, and stands on top of the cell.'
          )}
        </p>
        <label className="gf-Field">
          <span>{trans.__('Name of the app')}</span>
          <input
            className="jp-mod-styled"
            autoComplete="off"
            spellCheck={false}
            defaultValue={this._value}
            aria-describedby="gf-NameDialog-problem"
            aria-invalid={problem !== null && !isTaken}
            onChange={event => {
              this._value = event.target.value;
              this._changed();
            }}
          />
        </label>
        <p
          id="gf-NameDialog-problem"
          className={`gf-NameDialog-problem${problem !== null && !isTaken ? ' gf-mod-error' : ''}`}
          role="status"
        >
          {this._words(problem)}
        </p>
      </div>
    );
  }

  private get _input(): HTMLInputElement | null {
    return this.node.querySelector('input');
  }

  private _problem(): ReturnType<typeof problemOf> {
    return problemOf(this.getValue(), this._taken ?? new Set());
  }

  private _changed(): void {
    const problem = this._problem();
    // The dialog accepts nothing while a field of it is not valid.
    this._input?.setCustomValidity(problem === null || problem === 'taken' ? '' : this._words(problem));
    this.update();
  }

  private _words(problem: ReturnType<typeof problemOf>): string {
    const trans = this._trans;
    switch (problem) {
      case null:
        return this._taken ? trans.__('This name is free.') : '';
      case 'taken':
        return trans.__('You have this app: the cell becomes its next version.');
      case 'empty':
        return trans.__('An app needs a name.');
      case 'letters':
        return trans.__(
          'Use lower-case letters, digits and hyphens, with a letter first and no hyphen last.'
        );
      case 'long':
        return trans.__('A name has at most 40 characters.');
      case 'reserved':
        return trans.__('This name is reserved. Choose another.');
    }
  }

  private _value: string;
  private _taken: ReadonlySet<string> | null = null;
}
