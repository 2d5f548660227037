import * as React from 'react';

import type { DeploymentView } from '../../api/types';
import { ago, milliseconds, moment } from '../../common/format';
import type { TranslationBundle } from '../../common/translation';
import { stageName } from '../parts/stages';
import { ISegment, segments, total } from './figures';

/** The last attempts to bring the app live, each as a bar of its stages; the longest is as wide as there is room. */
export function Timings(props: {
  deployments: DeploymentView[];
  trans: TranslationBundle;
}): React.ReactElement | null {
  const { deployments, trans } = props;
  if (deployments.length === 0) {
    return null;
  }
  const longest = Math.max(...deployments.map(total), 0.001);
  const shown = [...new Set(deployments.flatMap(segments).map(part => part.name))];
  return (
    <section className="gf-Timings">
      <h2 className="gf-Heading">{trans.__('Last deploys and restarts')}</h2>
      <ol className="gf-Timings-list">
        {deployments.map(deployment => (
          <li key={deployment.started_at} className="gf-Timings-deploy">
            <div className="gf-Timings-what">
              <span>
                {kindWord(deployment, trans)}
                {deployment.version != null && (
                  <span className="gf-Timings-version"> {trans.__('v%1', deployment.version)}</span>
                )}
              </span>
              <span className="gf-Quiet" title={moment(deployment.started_at)}>
                {ago(deployment.started_at)}
              </span>
              <Ending deployment={deployment} trans={trans} />
            </div>
            <Bar deployment={deployment} longest={longest} trans={trans} />
            {deployment.problem && <p className="gf-Timings-problem">{deployment.problem}</p>}
          </li>
        ))}
      </ol>
      <ul className="gf-Legend" aria-label={trans.__('Stages')}>
        {shown.map(name => (
          <li key={name}>
            <span className={`gf-Legend-mark gf-mod-${name}`} aria-hidden="true" />
            {stageName(name, trans)}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Bar(props: {
  deployment: DeploymentView;
  longest: number;
  trans: TranslationBundle;
}): React.ReactElement {
  const { deployment, longest, trans } = props;
  const parts = segments(deployment);
  const told = (part: ISegment) => `${stageName(part.name, trans)} ${milliseconds(1000 * part.seconds)}`;
  return (
    <div
      className="gf-Timings-bar"
      role="img"
      aria-label={parts.map(told).join(', ') || trans.__('No stage')}
    >
      {parts.map(part => (
        <span
          key={part.name}
          title={told(part)}
          className={`gf-Timings-part gf-mod-${part.name} ${part.name === deployment.failed_stage ? 'gf-mod-failed' : ''}`}
          style={{ width: `${(100 * part.seconds) / longest}%` }}
        />
      ))}
    </div>
  );
}

function Ending(props: { deployment: DeploymentView; trans: TranslationBundle }): React.ReactElement {
  const { deployment, trans } = props;
  const words: Record<DeploymentView['outcome'], string> = {
    running: trans.__('under way'),
    live: milliseconds(1000 * total(deployment)),
    unchanged: trans.__('unchanged, %1', milliseconds(1000 * total(deployment))),
    saved: trans.__('saved'),
    failed: trans.__('failed after %1', milliseconds(1000 * total(deployment))),
    interrupted: trans.__('interrupted')
  };
  const isBad = deployment.outcome === 'failed' || deployment.outcome === 'interrupted';
  return <span className={`gf-Timings-end ${isBad ? 'gf-mod-bad' : ''}`}>{words[deployment.outcome]}</span>;
}

function kindWord({ kind }: DeploymentView, trans: TranslationBundle): string {
  const words: Record<string, string> = {
    deploy: trans.__('Deploy'),
    rollback: trans.__('Rollback'),
    start: trans.__('Start'),
    restart: trans.__('Restart'),
    environment: trans.__('Environment'),
    restore: trans.__('Restore'),
    database: trans.__('Database')
  };
  return words[kind] ?? kind;
}
