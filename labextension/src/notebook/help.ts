/** Help on the line of a magic: where the pointer rests, and where the cursor is when it is asked for. */
import { StateEffect, StateField, type Extension } from '@codemirror/state';
import { EditorView, hoverTooltip, showTooltip, type Tooltip } from '@codemirror/view';

import { helpAt, helpOnLine, isMagicLine, type IHelp } from './magics';

/** The class of an editor's content while its cursor is on the line of a magic. */
export const ON_MAGIC = 'gf-mod-onMagic';

const ask = StateEffect.define<Tooltip | null>();

/** The extension of an editor. `about` says how an app is. */
export function magicHelp(about: (app: string) => string): Extension {
  return [
    hoverTooltip(
      (view, position) => {
        const line = view.state.doc.lineAt(position);
        const found = helpAt(line.text, position - line.from);
        return found && tooltip(found, line.from, about);
      },
      { hideOnChange: true }
    ),
    StateField.define<Tooltip | null>({
      create: () => null,
      update: (shown, transaction) => {
        for (const effect of transaction.effects) {
          if (effect.is(ask)) {
            return effect.value;
          }
        }
        return transaction.docChanged || transaction.selection ? null : shown;
      },
      provide: field => showTooltip.from(field)
    }),
    EditorView.domEventHandlers({
      blur: (_event, view) => {
        // Not while CodeMirror is at work.
        setTimeout(() => view.dispatch({ effects: ask.of(null) }));
        return false;
      }
    }),
    EditorView.contentAttributes.compute(['doc', 'selection'], state => {
      const { main } = state.selection;
      const isOn = main.empty && isMagicLine(state.doc.lineAt(main.head).text);
      return (isOn ? { class: ON_MAGIC } : {}) as Record<string, string>;
    })
  ];
}

/** Show the help on the place of the cursor. */
export function showHelp(view: EditorView, about: (app: string) => string): void {
  const { head } = view.state.selection.main;
  const line = view.state.doc.lineAt(head);
  const found = helpOnLine(line.text, head - line.from);
  if (found) {
    view.dispatch({ effects: ask.of(tooltip(found, line.from, about)) });
  }
}

function tooltip(help: IHelp, lineStart: number, about: (app: string) => string): Tooltip {
  return {
    pos: lineStart + help.start,
    end: lineStart + help.end,
    above: false,
    create: () => {
      const dom = document.createElement('div');
      dom.className = 'gf-Help';
      dom.setAttribute('role', 'status');
      const term = dom.appendChild(document.createElement('code'));
      term.textContent = help.term;
      const text = dom.appendChild(document.createElement('div'));
      text.textContent = help.app === null ? help.about : about(help.app);
      return { dom };
    }
  };
}
