import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';

import type { TranslationBundle } from './translation';

/** Ask for the name once more before something that is hard to take back. True where it was typed. */
export async function confirmByName(options: {
  trans: TranslationBundle;
  title: string;
  /** What will happen, and whether it can be undone. */
  body: string;
  name: string;
  /** The word on the button, as `Delete`. */
  action: string;
}): Promise<boolean> {
  const { trans } = options;
  const body = new ConfirmBody(options.body, options.name, trans);
  const dialog = new Dialog<string>({
    title: options.title,
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: options.action, ariaLabel: `${options.action} ${options.name}` })
    ],
    // Else Enter in the field would delete, whatever stands in it.
    defaultButton: 0,
    focusNodeSelector: 'input'
  });
  dialog.addClass('gf-ConfirmDialog');
  body.onChange = matches => {
    const button = dialog.node.querySelector<HTMLButtonElement>('.jp-mod-warn');
    if (button) {
      button.disabled = !matches;
    }
  };
  body.onEnter = () => dialog.resolve(1);
  const result = await dialog.launch();
  return result.button.accept && result.value === options.name;
}

class ConfirmBody extends ReactWidget implements Dialog.IBodyWidget<string> {
  constructor(
    private readonly _text: string,
    private readonly _name: string,
    private readonly _trans: TranslationBundle
  ) {
    super();
  }

  onChange: (matches: boolean) => void = () => undefined;
  onEnter: () => void = () => undefined;

  getValue(): string {
    return this._value;
  }

  protected override onAfterAttach(): void {
    this.update();
    requestAnimationFrame(() => this.onChange(false));
  }

  protected override render(): React.ReactElement {
    const label = this._trans.__('Type %1 to confirm', this._name);
    return (
      <div className="gf-Confirm">
        <p>{this._text}</p>
        <label className="gf-Field">
          <span>{label}</span>
          <input
            className="jp-mod-styled"
            autoComplete="off"
            spellCheck={false}
            onChange={event => {
              this._value = event.target.value.trim();
              this.onChange(this._value === this._name);
            }}
            onKeyDown={event => {
              if (event.key === 'Enter') {
                event.preventDefault();
                event.stopPropagation();
                if (this._value === this._name) {
                  this.onEnter();
                }
              }
            }}
          />
        </label>
      </div>
    );
  }

  private _value = '';
}

/** Ask yes or no. */
export async function confirm(options: {
  trans: TranslationBundle;
  title: string;
  body: string;
  action: string;
  warn?: boolean;
}): Promise<boolean> {
  const ok = options.warn ? Dialog.warnButton : Dialog.okButton;
  const result = await showDialog({
    title: options.title,
    body: options.body,
    buttons: [Dialog.cancelButton({ label: options.trans.__('Cancel') }), ok({ label: options.action })]
  });
  return result.button.accept;
}
