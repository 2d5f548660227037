import type { AppView } from '../api/types';
import type { TranslationBundle } from '../common/translation';
import type { ICellState } from './model';

/** A state as it is shown: the colour it has, its words, and more words for a tooltip. */
export interface IShown {
  readonly mod: 'good' | 'bad' | 'fair' | 'idle' | 'asleep' | 'busy';
  readonly words: string;
  readonly more: string;
}

/** How the app of a cell is. */
export function shownState(state: ICellState, trans: TranslationBundle): IShown {
  const view = state.entry?.view;
  if (state.isRunning) {
    return { mod: 'busy', words: trans.__('Deploying …'), more: '' };
  }
  if (!state.isKnown) {
    return { mod: 'idle', words: '', more: '' };
  }
  return view ? shownView(view, trans) : { mod: 'idle', words: trans.__('Not deployed yet'), more: '' };
}

function shownView(view: AppView, trans: TranslationBundle): IShown {
  const more = view.reason ?? '';
  const version = view.version === null ? '' : trans.__('v%1', view.version);
  switch (view.state) {
    case 'new':
    case 'deleted':
      return { mod: 'idle', words: trans.__('Not deployed yet'), more };
    case 'running': {
      const color = view.health?.color;
      const mod = color === 'red' ? 'bad' : color === 'yellow' ? 'fair' : 'good';
      return { mod, words: trans.__('%1 live', version), more: mod === 'good' ? '' : view.health!.reason };
    }
    case 'asleep':
      return {
        mod: 'asleep',
        words: trans.__('%1 asleep', version),
        more: trans.__('The next request wakes it.')
      };
    case 'failed':
      return { mod: 'bad', words: trans.__('%1 failed', version).trim(), more };
    case 'stopping':
      return { mod: 'busy', words: trans.__('Stopping …'), more };
    case 'stopped':
      return { mod: 'idle', words: trans.__('%1 stopped', version).trim(), more };
    case 'restarting':
      return { mod: 'fair', words: trans.__('%1 restarting', version).trim(), more };
    case 'starting':
      return { mod: 'busy', words: trans.__('Starting …'), more };
  }
}

/** How a cell and what is live compare; empty where that goes without saying. */
export function comparedWords(state: ICellState, trans: TranslationBundle): string {
  const { compared } = state;
  if (state.isRunning) {
    return '';
  }
  switch (compared.is) {
    case 'same':
      return trans.__('Up to date');
    case 'changed':
      return trans.__('Changes not deployed');
    case 'elsewhere':
      return trans.__('Live from %1', compared.label);
    default:
      return '';
  }
}

/** An app in a sentence, for where its name stands. */
export function appInWords(view: AppView, trans: TranslationBundle): string {
  const { words, more } = shownView(view, trans);
  return [view.title === view.id ? '' : view.title, words, more, view.url ?? ''].filter(Boolean).join(' · ');
}
