import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IPage } from '../page';

/** A new variable; it joins the batch. */
export function AddForm(props: { page: IPage; autoFocus: boolean; onClose: () => void }): React.ReactElement {
  const { page, autoFocus, onClose } = props;
  const { trans } = page;
  const { environment } = page.model;
  const { name, value, isSecret } = environment.entered;
  const nameInput = React.useRef<HTMLInputElement>(null);
  const known = environment.variables.find(variable => variable.name === name.trim());

  const add = (event: React.FormEvent) => {
    event.preventDefault();
    // What was a secret stays one; else its value would be in the open.
    environment.set(name.trim(), { value, secret: isSecret || known?.secret === true });
    environment.enter({ name: '', value: '' });
    nameInput.current?.focus();
  };

  return (
    <form
      className="gf-Form"
      aria-label={trans.__('A new variable')}
      onSubmit={add}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <label className="gf-Field">
        <span>{trans.__('Name')}</span>
        <input
          ref={nameInput}
          className="jp-mod-styled gf-Input"
          value={name}
          placeholder="API_KEY"
          spellCheck={false}
          autoComplete="off"
          autoFocus={autoFocus}
          required
          onChange={event => environment.enter({ name: event.target.value })}
        />
      </label>
      <label className="gf-Field">
        <span>{trans.__('Value')}</span>
        <input
          className="jp-mod-styled gf-Input"
          type={isSecret ? 'password' : 'text'}
          autoComplete="new-password"
          value={value}
          spellCheck={false}
          onChange={event => environment.enter({ value: event.target.value })}
        />
      </label>
      <label className="gf-Check">
        <input
          type="checkbox"
          checked={isSecret}
          onChange={event => environment.enter({ isSecret: event.target.checked })}
        />
        <span>{trans.__('Secret: stored encrypted, never shown again')}</span>
      </label>
      <div className="gf-Bar">
        <Button
          type="submit"
          className="gf-Action gf-mod-primary"
          disabled={!name.trim() || (isSecret && !value)}
        >
          {known ? trans.__('Set') : trans.__('Add')}
        </Button>
        <Button type="button" className="gf-Action" onClick={onClose}>
          {trans.__('Close')}
        </Button>
      </div>
    </form>
  );
}
