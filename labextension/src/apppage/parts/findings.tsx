import * as React from 'react';

import type { Diagnostic } from '../../api/types';
import type { IPage } from '../page';
import { jump } from './jump';
import { placeOf } from './places';

/** What is wrong, where, and what to do: each with the way to its line. */
export function Findings(props: {
  diagnostics: ReadonlyArray<Diagnostic>;
  page: IPage;
}): React.ReactElement | null {
  if (props.diagnostics.length === 0) {
    return null;
  }
  return (
    <ul className="gf-Findings">
      {props.diagnostics.map((diagnostic, index) => (
        <li key={index} className={`gf-Findings-item gf-mod-${diagnostic.severity}`}>
          <p className="gf-Findings-message">{diagnostic.message}</p>
          {diagnostic.hint && <p className="gf-Findings-hint">{diagnostic.hint}</p>}
          <Place diagnostic={diagnostic} page={props.page} />
          {diagnostic.traceback && (
            <details className="gf-Findings-more">
              <summary>{props.page.trans.__('Traceback')}</summary>
              <Traceback text={diagnostic.traceback} label={props.page.trans.__('Traceback')} />
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

/** A text that keeps its lines; a stop of the keyboard, for it scrolls. */
export function Traceback(props: { text: string; label: string }): React.ReactElement {
  return (
    <pre className="gf-Pre" tabIndex={0} role="region" aria-label={props.label}>
      {props.text}
    </pre>
  );
}

/** The line that is meant, with the way there; nothing where no line is known. */
export function Place(props: { diagnostic: Diagnostic; page: IPage }): React.ReactElement | null {
  const { diagnostic, page } = props;
  const place = placeOf(diagnostic, page.model.app, page.trans);
  if (!place) {
    return null;
  }
  return (
    <p className="gf-Place">
      <button className="gf-Link" type="button" onClick={() => void jump(place, page)} title={place.hint}>
        {place.label}
      </button>
      {diagnostic.source && <code className="gf-Place-source">{diagnostic.source.trim()}</code>}
    </p>
  );
}
