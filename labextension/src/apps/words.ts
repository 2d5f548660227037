import type { HealthColor, State } from '../api/types';
import type { TranslationBundle } from '../common/translation';
import type { IDeploy } from './deploys';
import type { NameProblem } from './naming';

/** An app's state in a word. */
export function stateWord(state: State, trans: TranslationBundle): string {
  const words: Record<State, string> = {
    new: trans.__('Not deployed'),
    starting: trans.__('Starting'),
    running: trans.__('Live'),
    restarting: trans.__('Restarting'),
    failed: trans.__('Failed'),
    asleep: trans.__('Asleep'),
    stopping: trans.__('Stopping'),
    stopped: trans.__('Stopped'),
    deleted: trans.__('Deleted')
  };
  return words[state];
}

/** A colour of health in a word, for those who do not see it. */
export function healthWord(color: HealthColor, trans: TranslationBundle): string {
  const words: Record<HealthColor, string> = {
    green: trans.__('Healthy'),
    yellow: trans.__('Struggling'),
    red: trans.__('Unhealthy'),
    asleep: trans.__('Asleep'),
    grey: trans.__('Not running')
  };
  return words[color];
}

/** What a deploy is at. */
export function deployWord(deploy: IDeploy, trans: TranslationBundle): string {
  const words: Record<IDeploy['now'], string> = {
    validate: trans.__('Checking the code …'),
    release: trans.__('Storing the version …'),
    start: trans.__('Starting …'),
    ready: trans.__('Waiting for its first answer …')
  };
  return words[deploy.now];
}

/** What is wrong with a name, and what to do. */
export function nameWord(problem: NameProblem, trans: TranslationBundle): string {
  const words: Record<NameProblem, string> = {
    empty: trans.__('An app needs a name.'),
    letters: trans.__('Use lower-case letters, digits and hyphens, with a letter first and no hyphen last.'),
    long: trans.__('A name has at most 40 characters.'),
    reserved: trans.__('This name is reserved. Choose another.'),
    taken: trans.__('You have an app of this name already.')
  };
  return words[problem];
}
