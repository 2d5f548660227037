/** Findings at their lines: CodeMirror's own lint, which is loaded when there is something to show. */

import {
  lintGutter,
  nextDiagnostic,
  previousDiagnostic,
  setDiagnostics,
  type Action,
  type Diagnostic
} from '@codemirror/lint';
import { Compartment, type EditorState } from '@codemirror/state';
import { keymap, tooltips } from '@codemirror/view';
import type { CodeMirrorEditor } from '@jupyterlab/codemirror';

import { ago } from '../common/format';
import type { TranslationBundle } from '../common/translation';
import type { IFinding } from './findings';
import type { IFix } from './fix';

const gutters = new WeakMap<CodeMirrorEditor, Compartment>();

/** What may be done about findings. */
export interface IFindingTools {
  readonly trans: TranslationBundle;
  /** Show the details of an error; null where nobody can. */
  readonly showError: ((finding: IFinding) => void) | null;
  /** The change of the cell's text that mends it, where that is plain. */
  fix(finding: IFinding, source: string): IFix | null;
}

/** Show these findings in an editor, and no others. */
export function showFindings(
  editor: CodeMirrorEditor,
  findings: ReadonlyArray<IFinding>,
  tools: IFindingTools
): void {
  const view = editor.editor;
  let gutter = gutters.get(editor);
  if (!gutter) {
    if (findings.length === 0) {
      return;
    }
    gutter = new Compartment();
    gutters.set(editor, gutter);
    editor.injectExtension([
      gutter.of([]),
      keymap.of([
        { key: 'F8', run: nextDiagnostic },
        { key: 'Shift-F8', run: previousDiagnostic }
      ]),
      // Outside of the cell, which would cut it off.
      tooltips({ parent: document.body })
    ]);
  }
  const shown = findings
    .filter(finding => finding.line <= view.state.doc.lines)
    .map(finding => inEditor(finding, view.state, tools));
  view.dispatch(
    { effects: gutter.reconfigure(shown.length > 0 ? lintGutter({ hoverTime: 150 }) : []) },
    setDiagnostics(view.state, shown)
  );
}

function inEditor(finding: IFinding, state: EditorState, tools: IFindingTools): Diagnostic {
  const { doc } = state;
  const first = doc.line(finding.line);
  const last = doc.line(Math.min(finding.endLine, doc.lines));
  const indent = first.text.length - first.text.trimStart().length;
  const from = first.from + (finding.column === null ? indent : units(first.text, finding.column));
  const to = finding.endColumn === null ? first.to : last.from + units(last.text, finding.endColumn);
  return {
    from: Math.min(from, first.to),
    to: Math.max(to, Math.min(from + 1, first.to)),
    severity: finding.severity,
    message: finding.hint ? `${finding.message}\n${finding.hint}` : finding.message,
    renderMessage: () => rendered(finding, tools.trans),
    actions: actionsOf(finding, state, tools)
  };
}

function actionsOf(finding: IFinding, state: EditorState, tools: IFindingTools): Action[] {
  const { trans, showError } = tools;
  const actions: Action[] = [];
  const fix = state.readOnly ? null : tools.fix(finding, state.doc.toString());
  if (fix) {
    actions.push({
      name: trans.__('Add %1', fix.adds),
      apply: view => {
        // What was typed meanwhile may have moved it.
        const now = tools.fix(finding, view.state.doc.toString());
        if (now) {
          view.dispatch({ changes: { from: now.at, insert: now.insert } });
          view.focus();
        }
      }
    });
  }
  if (finding.error && showError) {
    actions.push({ name: trans.__('Show the error'), apply: () => showError(finding) });
  }
  return actions;
}

function rendered(finding: IFinding, trans: TranslationBundle): HTMLElement {
  const root = document.createElement('div');
  root.className = 'gf-Finding';
  const add = (name: string, text: string) => {
    const part = root.appendChild(document.createElement('div'));
    part.className = `gf-Finding-${name}`;
    part.textContent = text;
  };
  const { error } = finding;
  add('from', `${finding.app} · ${fromWhere(finding, trans)}`);
  add('message', finding.message);
  if (finding.hint) {
    add('hint', finding.hint);
  }
  if (error) {
    const times = trans._n('%1 time', '%1 times', error.count);
    add('times', `${error.method} ${error.route} · ${times} · ${ago(error.last_at)}`);
  }
  return root;
}

function fromWhere(finding: IFinding, trans: TranslationBundle): string {
  switch (finding.kind) {
    case 'deploy':
      return finding.severity === 'error' ? trans.__('Not deployed') : trans.__('Worth a look');
    case 'state':
      return trans.__('Not running');
    case 'error':
      return trans.__('Error in version %1', finding.error?.version ?? '');
  }
}

/** UTF-16 units of so many characters. */
function units(text: string, characters: number): number {
  return [...text].slice(0, characters).join('').length;
}
