import * as React from 'react';

/** A place where there is nothing yet, and what to do so that there is. */
export function Empty(props: React.PropsWithChildren<{ title: string }>): React.ReactElement {
  return (
    <div className="gf-Empty">
      <p className="gf-Empty-title">{props.title}</p>
      {props.children && <div className="gf-Empty-text">{props.children}</div>}
    </div>
  );
}
