import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { ApiError } from '../../api/errors';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import type { CollectionModel } from './model';
import { EVERYTHING, IQuery } from './query';

/** What to look for, in which order, and which fields of it. Enter asks. */
export function QueryBar(props: { page: IPage; collection: CollectionModel }): React.ReactElement {
  const { page, collection } = props;
  const { trans } = page;
  useSignal(collection.changed);
  useSignal(collection.page.changed);
  const [query, setQuery] = React.useState<IQuery>({ ...collection.query });
  const id = `${page.id}-query-problem`;
  const { queryError } = collection;
  // What the service says of a query belongs here; all else is said where the documents would be.
  const refused = isAboutQuery(collection.page.error) ? collection.page.error : null;
  const problem = queryError ?? refused;
  const isSet = Object.values(query).some(Boolean) || Object.values(collection.query).some(Boolean);

  const field = (name: keyof IQuery, label: string, placeholder: string) => (
    <label className={`gf-Query-field gf-mod-${name}`}>
      <span>{label}</span>
      <input
        className="jp-mod-styled gf-Input gf-mod-code"
        spellCheck={false}
        autoComplete="off"
        placeholder={placeholder}
        value={query[name]}
        aria-invalid={problem !== null && (queryError?.field ?? 'filter') === name}
        aria-describedby={problem ? id : undefined}
        onChange={event => setQuery({ ...query, [name]: event.target.value })}
      />
    </label>
  );

  return (
    <form
      className="gf-Query"
      role="search"
      aria-label={trans.__('Find documents')}
      onSubmit={event => {
        event.preventDefault();
        collection.run(query);
      }}
    >
      <div className="gf-Query-fields">
        {field('filter', trans.__('Filter'), '{"done": false}')}
        {field('sort', trans.__('Sort'), 'name, -age')}
        {field('fields', trans.__('Fields'), 'name, age')}
        <div className="gf-Query-actions">
          <Button type="submit" className="gf-Action gf-mod-primary">
            {trans.__('Find')}
          </Button>
          <Button type="button" className="gf-Action" onClick={() => collection.explain(query)}>
            {trans.__('Explain')}
          </Button>
          <Button
            type="button"
            className="gf-Action"
            disabled={!isSet}
            onClick={() => {
              setQuery({ ...EVERYTHING });
              collection.run(EVERYTHING);
            }}
          >
            {trans.__('Reset')}
          </Button>
        </div>
      </div>
      <p id={id} className="gf-Query-problem" role="alert">
        {problem?.message}
      </p>
    </form>
  );
}

/** Whether the service did not take the query as it is. */
export function isAboutQuery(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 422;
}
