import { lintGutter, setDiagnostics, type Diagnostic as Mark } from '@codemirror/lint';
import { type ChangeSet, StateEffect, type Text } from '@codemirror/state';
import { EditorView } from '@codemirror/view';

import type { Diagnostic } from '../api/types';
import { isError } from './deployments';

/** A place in a text, of a length of at least one character where the line has one. */
export interface IRange {
  from: number;
  to: number;
}

/** Where a diagnostic points to; null where the text has no such line. */
export function rangeOf(diagnostic: Diagnostic, text: Text): IRange | null {
  const { line, column, end_line, end_column } = diagnostic;
  if (!line || line > text.lines) {
    return null;
  }
  const first = text.line(line);
  const indent = first.text.length - first.text.trimStart().length;
  const from = Math.min(first.from + (column ?? indent), first.to);
  const last = end_line && end_line >= line && end_line <= text.lines ? text.line(end_line) : first;
  const to =
    end_column !== null && end_column !== undefined ? Math.min(last.from + end_column, last.to) : last.to;
  return to > from
    ? { from, to }
    : { from: Math.min(from, Math.max(first.to - 1, first.from)), to: first.to };
}

/** Marks in one editor at the lines that a failed deploy complains of. A mark goes when its lines are changed. */
export class Marks {
  constructor(
    private readonly _view: EditorView,
    /** Told which diagnostics are out of date. */
    private readonly _drop: (gone: Diagnostic[]) => void
  ) {}

  /** Show these and no others. Those that are shown already have moved with the text around them. */
  show(diagnostics: readonly Diagnostic[]): void {
    const fresh = diagnostics.filter(each => !this._known.has(each));
    const gone = [...this._known].filter(each => !diagnostics.includes(each));
    if (fresh.length + gone.length === 0) {
      return;
    }
    this._prepare();
    this._known = new Set(diagnostics);
    gone.forEach(each => this._places.delete(each));
    for (const diagnostic of fresh) {
      const range = rangeOf(diagnostic, this._view.state.doc);
      if (range) {
        this._places.set(diagnostic, range);
      }
    }
    const marks = [...this._places].map(([diagnostic, range]) => markOf(diagnostic, range));
    this._view.dispatch(setDiagnostics(this._view.state, marks));
  }

  private _prepare(): void {
    if (!this._isPrepared) {
      this._isPrepared = true;
      const listener = EditorView.updateListener.of(update => {
        if (update.docChanged) {
          this._follow(update.changes);
        }
      });
      this._view.dispatch({ effects: StateEffect.appendConfig.of([lintGutter(), listener]) });
    }
  }

  private _follow(changes: ChangeSet): void {
    const touched: Diagnostic[] = [];
    for (const [diagnostic, { from, to }] of this._places) {
      if (changes.touchesRange(from, to)) {
        touched.push(diagnostic);
      }
      this._places.set(diagnostic, { from: changes.mapPos(from, 1), to: changes.mapPos(to, -1) });
    }
    if (touched.length) {
      // Not while the editor is still at it.
      queueMicrotask(() => this._drop(touched));
    }
  }

  private _isPrepared = false;
  private _known: ReadonlySet<Diagnostic> = new Set();
  private readonly _places = new Map<Diagnostic, IRange>();
}

function markOf(diagnostic: Diagnostic, range: IRange): Mark {
  return {
    ...range,
    severity: isError(diagnostic) ? 'error' : 'warning',
    message: diagnostic.hint ? `${diagnostic.message}\n${diagnostic.hint}` : diagnostic.message,
    source: 'GoFastAPI'
  };
}
