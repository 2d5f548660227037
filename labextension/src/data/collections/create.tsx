import * as React from 'react';

import { CreateForm, useSubmit } from '../forms';
import type { IPage } from '../page';

/** A new, empty collection. */
export function CollectionForm(props: { page: IPage; onClose: () => void }): React.ReactElement {
  const { page, onClose } = props;
  const { trans, model } = page;
  const [name, setName] = React.useState('');
  const { submit, isBusy, error } = useSubmit(() => model.createCollection(name), onClose);

  return (
    <CreateForm
      label={trans.__('A new collection')}
      trans={trans}
      canCreate={name !== '' && !isBusy}
      error={error}
      onSubmit={submit}
      onClose={onClose}
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
    </CreateForm>
  );
}
