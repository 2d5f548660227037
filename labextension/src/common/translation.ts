import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';

export type { TranslationBundle };

/** The words of the extension in the person's language. Pass it on; call `trans.__('...')` where words are shown. */
export function load(translator: ITranslator | null): TranslationBundle {
  return (translator ?? nullTranslator).load('gofastapi');
}
