import * as React from 'react';

import type { Stage } from '../../api/types';
import { milliseconds } from '../../common/format';
import { ErrorNotice } from '../../common/notice';
import type { TranslationBundle } from '../../common/translation';
import { useSignal } from '../../common/useSignal';
import type { IPage } from '../page';
import { Findings } from './findings';
import type { StageRun } from './stageRun';

/** The names of the stages, as people read them. */
export function stageName(stage: Stage | 'client' | 'rest', trans: TranslationBundle): string {
  const names: Record<Stage | 'client' | 'rest', string> = {
    client: trans.__('Collect'),
    validate: trans.__('Check'),
    release: trans.__('Release'),
    start: trans.__('Start'),
    ready: trans.__('Prove ready'),
    live: trans.__('Switch over'),
    failed: trans.__('Failed'),
    saved: trans.__('Saved'),
    rest: trans.__('Other')
  };
  return names[stage];
}

/** A run while it goes on, stage by stage; what was found, where it failed. Nothing before the first run. */
export function Stages(props: {
  run: StageRun;
  page: IPage;
  /** The stages that are expected, in order, without the last. */
  stages: ReadonlyArray<Stage>;
  label: string;
  /** The sentence for a good end. */
  done: string;
  /** What a failure means for what was there before. */
  consequence: string;
  onRetry: () => void;
}): React.ReactElement | null {
  const { run, page, stages } = props;
  const { trans } = page;
  useSignal(run.changed);
  if (run.error) {
    return <ErrorNotice error={run.error} trans={trans} onRetry={props.onRetry} />;
  }
  if (!run.isRunning && !run.end) {
    return null;
  }
  const over = new Map(run.events.map(event => [event.stage, event.seconds]));
  const { end } = run;
  const failed = end?.stage === 'failed' ? end : undefined;
  const current = stages.find(stage => !over.has(stage));
  return (
    <section className="gf-Stages" aria-label={props.label}>
      <ol className="gf-Stages-list">
        {stages.map(stage => {
          const isFailed = failed?.failed_stage === stage;
          const state = over.has(stage)
            ? 'done'
            : isFailed
              ? 'failed'
              : run.isRunning && stage === current
                ? 'running'
                : 'open';
          return (
            <li key={stage} className={`gf-Stages-stage gf-mod-${state}`}>
              <span className="gf-Stages-mark" aria-hidden="true" />
              <span>{stageName(stage, trans)}</span>
              {over.has(stage) && (
                <span className="gf-Stages-seconds">{milliseconds(1000 * (over.get(stage) ?? 0))}</span>
              )}
              <span className="gf-hidden">{stateWord(state, trans)}</span>
            </li>
          );
        })}
      </ol>
      <div role="status">
        {end && !failed && (
          <p className="gf-Stages-end">
            {props.done} <span className="gf-Stages-seconds">{milliseconds(1000 * end.seconds)}</span>
          </p>
        )}
      </div>
      {failed && (
        <div className="gf-Stages-failure" role="alert">
          <p className="gf-Stages-consequence">{props.consequence}</p>
          <Findings diagnostics={failed.diagnostics ?? []} page={page} />
        </div>
      )}
    </section>
  );
}

function stateWord(state: 'done' | 'failed' | 'running' | 'open', trans: TranslationBundle): string {
  return {
    done: trans.__('done'),
    failed: trans.__('failed'),
    running: trans.__('under way'),
    open: trans.__('not yet')
  }[state];
}
