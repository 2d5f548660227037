import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Explanation } from '../../api/types';
import { seconds } from '../../common/format';
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
      <Loaded resource={explanation} trans={trans} label={trans.__('Explaining')}>
        {found => (
          <>
            <Notice kind={found.uses_index && !found.advice ? 'info' : 'warning'}>
              <p>{found.summary}</p>
              {found.advice && <p>{found.advice}</p>}
            </Notice>
            <dl className="gf-Facts">
              <Fact
                label={trans.__('Documents looked at')}
                value={found.documents_examined.toLocaleString()}
              />
              <Fact label={trans.__('Index keys looked at')} value={found.keys_examined.toLocaleString()} />
              <Fact label={trans.__('Found')} value={found.returned.toLocaleString()} />
              <Fact label={trans.__('Took')} value={seconds(found.seconds)} />
              {found.indexes.length > 0 && (
                <Fact label={trans.__('Through')} value={found.indexes.join(', ')} />
              )}
            </dl>
            <details>
              <summary>{trans.__("MongoDB's plan")}</summary>
              <pre className="gf-Pre" tabIndex={0} aria-label={trans.__("MongoDB's plan")}>
                {JSON.stringify(found.plan, null, 2)}
              </pre>
            </details>
          </>
        )}
      </Loaded>
      <Button className="gf-Action gf-mod-small" onClick={() => collection.hideExplanation()}>
        {trans.__('Close')}
      </Button>
    </section>
  );
}

function Fact(props: { label: string; value: string }): React.ReactElement {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd>{props.value}</dd>
    </div>
  );
}
