import * as React from 'react';

import type { IPage } from '../page';
import { CollectionView } from './collection';
import { CollectionList } from './list';

/** The list of collections, or the one that is open. */
export function CollectionsTab(props: { page: IPage }): React.ReactElement {
  const { collection } = props.page.model;
  return collection ? (
    <CollectionView
      key={`${collection.branch ?? ''}/${collection.name}`}
      {...props}
      collection={collection}
    />
  ) : (
    <CollectionList {...props} />
  );
}
