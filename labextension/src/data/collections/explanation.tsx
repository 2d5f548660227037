import { Button, closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Explanation } from '../../api/types';
import { Loaded } from '../../common/loaded';
import { Notice } from '../../common/notice';
import type { Resource } from '../../common/resource';
import type { IPage } from '../page';
import type { CollectionModel } from './model';

/** How MongoDB finds what was asked, in words, and what would make it faster. */
export function ExplanationView(props: {
  page: IPage;
  collection: CollectionModel;
  explanation: Resource<Explanation>;
}): React.ReactElement {
  const { page, collection, explanation } = props;
  const { trans } = page;
  return (
    <section className="gf-Explanation" aria-label={trans.__('How the query is answered')}>
      <Button
        className="jp-mod-minimal gf-IconButton gf-Explanation-close"
        title={trans.__('Close')}
        aria-label={trans.__('Close the explanation')}
        onClick={() => collection.hideExplanation()}
      >
        <closeIcon.react tag="span" />
      </Button>
      <Loaded resource={explanation} trans={trans} label={trans.__('Explaining')}>
        {found => (
          <>
            <Notice kind={found.uses_index && !found.advice ? 'info' : 'warning'}>
              <p>{found.summary}</p>
              {found.advice && <p>{found.advice}</p>}
            </Notice>
            <details>
              <summary>{trans.__("MongoDB's plan")}</summary>
              <pre className="gf-Pre" tabIndex={0} aria-label={trans.__("MongoDB's plan")}>
                {JSON.stringify(found.plan, null, 2)}
              </pre>
            </details>
          </>
        )}
      </Loaded>
    </section>
  );
}
