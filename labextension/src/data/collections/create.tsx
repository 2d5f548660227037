import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ErrorNotice } from '../../common/notice';
import { useSubmit } from '../forms';
import type { IPage } from '../page';

/** A new, empty collection. */
export function CreateForm(props: { page: IPage; onClose: () => void }): React.ReactElement {
  const { page, onClose } = props;
  const { trans, model } = page;
  const [name, setName] = React.useState('');
  const { submit, isBusy, error } = useSubmit(() => model.createCollection(name), onClose);

  return (
    <form
      className="gf-Form"
      aria-label={trans.__('A new collection')}
      onSubmit={submit}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <label className="gf-Field">
        <span>{trans.__('Name')}</span>
        <input
          className="jp-mod-styled gf-Input"
          autoFocus
          spellCheck={false}
          autoComplete="off"
          value={name}
          onChange={event => setName(event.target.value)}
        />
      </label>
      {error != null && <ErrorNotice error={error} trans={trans} />}
      <div className="gf-Bar">
        <Button type="submit" className="gf-Action gf-mod-primary" disabled={!name || isBusy}>
          {trans.__('Create')}
        </Button>
        <Button type="button" className="gf-Action" onClick={onClose}>
          {trans.__('Cancel')}
        </Button>
      </div>
    </form>
  );
}
