import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';

import type { TranslationBundle } from './translation';
import { useValidity } from './useValidity';

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
  const { trans, title, body, name, action } = options;
  const form = ReactWidget.create(<NameForm text={body} name={name} trans={trans} />);
  form.addClass('gf-Confirm');
  const dialog = new Dialog({
    title,
    body: form,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.warnButton({ label: action, ariaLabel: `${action} ${name}` })
    ],
    defaultButton: 1
  });
  dialog.addClass('gf-ConfirmDialog');
  return (await dialog.launch()).button.accept;
}

function NameForm(props: { text: string; name: string; trans: TranslationBundle }): React.ReactElement {
  const { text, name, trans } = props;
  const [typed, setTyped] = React.useState('');
  const field = React.useRef<HTMLInputElement>(null);
  useValidity(field, typed.trim() === name ? null : trans.__('Type %1 to confirm', name));
  return (
    <>
      <p>{text}</p>
      <label className="gf-Field">
        <span>{trans.__('Type %1 to confirm', name)}</span>
        <input
          className="jp-mod-styled"
          ref={field}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          onChange={event => setTyped(event.target.value)}
        />
      </label>
    </>
  );
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
