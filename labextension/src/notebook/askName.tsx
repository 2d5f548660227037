import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import * as React from 'react';

import { freeName, problemOf, type NameProblem } from '../apps/naming';
import { nameWord } from '../apps/words';
import type { TranslationBundle } from '../common/translation';
import { useValidity } from '../common/useValidity';

/** The names that are in use. */
export interface INames {
  /** Of the person's own apps. */
  readonly taken: ReadonlySet<string>;
  /** The same, and those of apps that can be restored: their names are better not suggested. */
  readonly used: ReadonlySet<string>;
}

interface INameOptions {
  trans: TranslationBundle;
  wanted: string;
  /** They may come late: the question does not wait for them. Where they never come, any name will do. */
  names: Promise<INames>;
}

/** Ask under which name a cell is to be deployed; null where the person thought better of it. */
export async function askName(options: INameOptions): Promise<string | null> {
  const { trans } = options;
  let chosen = options.wanted;
  const body = ReactWidget.create(<NameForm {...options} onChange={name => (chosen = name)} />);
  body.addClass('gf-Confirm');
  const dialog = new Dialog({
    title: trans.__('Deploy this cell'),
    body,
    buttons: [
      Dialog.cancelButton({ label: trans.__('Cancel') }),
      Dialog.okButton({ label: trans.__('Deploy') })
    ],
    defaultButton: 1,
    focusNodeSelector: 'input'
  });
  dialog.addClass('gf-NameDialog');
  return (await dialog.launch()).button.accept ? chosen : null;
}

function NameForm(props: INameOptions & { onChange: (name: string) => void }): React.ReactElement {
  const { trans, wanted, names, onChange } = props;
  const [typed, setTyped] = React.useState<string | null>(null);
  const [known, setKnown] = React.useState<INames | null>(null);
  const field = React.useRef<HTMLInputElement>(null);
  const shown = typed ?? (known ? freeName(wanted, known.used) : wanted);
  const name = shown.trim();
  const found = problemOf(name, known?.taken ?? new Set());
  const problem = found === 'taken' ? null : found;
  useValidity(field, problem);
  React.useEffect(() => {
    onChange(name);
  }, [onChange, name]);
  React.useEffect(() => {
    // After the dialog, which gives the focus to a button.
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.select();
    });
  }, []);
  React.useEffect(() => {
    names.then(setKnown, () => undefined); // the deploy itself starts the service, or says why it cannot
  }, [names]);
  const told = (found: NameProblem | null): string => {
    if (found === 'taken') {
      return trans.__('You have this app: the cell becomes its next version.');
    }
    return found !== null ? nameWord(found, trans) : known ? trans.__('This name is free.') : '';
  };
  return (
    <>
      <p>
        {trans.__(
          'It becomes an app with an address of its own. The name stays with it, and stands on top of the cell.'
        )}
      </p>
      <label className="gf-Field">
        <span>{trans.__('Name of the app')}</span>
        <input
          ref={field}
          className="jp-mod-styled"
          autoComplete="off"
          spellCheck={false}
          value={shown}
          aria-describedby="gf-NameDialog-problem"
          aria-invalid={problem !== null}
          onChange={event => setTyped(event.target.value)}
        />
      </label>
      <p
        id="gf-NameDialog-problem"
        className={`gf-NameDialog-problem${problem === null ? '' : ' gf-mod-error'}`}
        role="status"
      >
        {told(found)}
      </p>
    </>
  );
}
