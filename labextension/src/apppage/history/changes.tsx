import * as React from 'react';

import type { TreeDiff, VersionView } from '../../api/types';
import type { IPage } from '../page';
import { Empty } from '../../common/empty';
import { DiffView } from '../../common/codeView';
import { Loaded } from '../../common/loaded';
import type { IComparison, Side } from './model';

type FileDiff = TreeDiff['files'][number];

/** What differs between two versions, or a version and the working copy, file by file. */
export function Changes(props: {
  page: IPage;
  versions: ReadonlyArray<VersionView>;
  from: number;
  to: Side;
}): React.ReactElement {
  const { page, versions, from, to } = props;
  const { trans, model } = page;
  const { history } = model;
  const numbers = versions.map(({ number }) => (
    <option key={number} value={number}>
      {trans.__('Version %1', number)}
    </option>
  ));
  const compare = (old: number, after: Side) => history.look({ kind: 'changes', from: old, to: after });
  return (
    <section aria-label={trans.__('Changes')}>
      <div className="gf-Bar">
        <label className="gf-Pick">
          <span>{trans.__('From')}</span>
          <select
            className="jp-mod-styled gf-Select"
            value={from}
            onChange={event => compare(Number(event.target.value), to)}
          >
            {numbers}
          </select>
        </label>
        <label className="gf-Pick">
          <span>{trans.__('to')}</span>
          <select
            className="jp-mod-styled gf-Select"
            value={to}
            onChange={event =>
              compare(from, event.target.value === 'draft' ? 'draft' : Number(event.target.value))
            }
          >
            <option value="draft">{trans.__('The working copy')}</option>
            {numbers}
          </select>
        </label>
      </div>
      <Loaded resource={history.comparison} trans={trans} label={trans.__('Comparing')}>
        {comparison => <Comparison comparison={comparison} page={page} />}
      </Loaded>
    </section>
  );
}

function Comparison(props: { comparison: IComparison; page: IPage }): React.ReactElement {
  const { comparison, page } = props;
  const { trans } = page;
  const { diff } = comparison;
  const notes = [
    ...(diff.notes ?? []),
    ...(diff.env_added?.length ? [trans.__('Variables added: %1', diff.env_added.join(', '))] : []),
    ...(diff.env_removed?.length ? [trans.__('Variables removed: %1', diff.env_removed.join(', '))] : [])
  ];
  return (
    <>
      {notes.map(note => (
        <p key={note} className="gf-Quiet">
          {note}
        </p>
      ))}
      {diff.files.length === 0 && notes.length === 0 && <Empty title={trans.__('The two are the same')} />}
      {diff.files.map((file, index) => (
        // Of many files, the first ones are open.
        <FileChange
          key={`${diff.old} ${diff.new} ${file.path}`}
          file={file}
          comparison={comparison}
          page={page}
          isOpen={index < 3}
        />
      ))}
    </>
  );
}

function FileChange(props: {
  file: FileDiff;
  comparison: IComparison;
  page: IPage;
  isOpen: boolean;
}): React.ReactElement {
  const { file, comparison, page } = props;
  const { trans } = page;
  const [isOpen, setOpen] = React.useState(props.isOpen);
  const words = { added: trans.__('added'), removed: trans.__('removed'), changed: trans.__('changed') };
  const old = comparison.old.get(file.path)?.text;
  const after = comparison.new.get(file.path)?.text;
  const isText = (old != null || file.change === 'added') && (after != null || file.change === 'removed');
  return (
    <details className="gf-FileChange" open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <code>{file.path}</code>
        <span className={`gf-Tag gf-mod-${file.change}`}>{words[file.change]}</span>
        {(file.added_lines > 0 || file.removed_lines > 0) && (
          <span className="gf-FileChange-count">
            <span className="gf-mod-good">+{file.added_lines}</span>{' '}
            <span className="gf-mod-bad">−{file.removed_lines}</span>
          </span>
        )}
      </summary>
      {isOpen &&
        (isText ? (
          <DiffView
            page={page}
            path={file.path}
            texts={{ old: old ?? '', new: after ?? '' }}
            names={{ old: comparison.diff.old, new: comparison.diff.new }}
          />
        ) : (
          <p className="gf-Quiet">{file.note || trans.__('It is no text.')}</p>
        ))}
    </details>
  );
}
