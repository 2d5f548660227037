import { Button, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Answer, ErrorView, ReplayView } from '../../api/types';
import { confirm } from '../../common/ask';
import { Busy } from '../../common/busy';
import { milliseconds } from '../../common/format';
import { ErrorNotice } from '../../common/notice';
import type { IPage } from '../page';
import { Traceback } from '../parts/findings';
import { mayChangeSomething, parseHeaders } from './model';

/** The error's request once more, to what runs now; both answers side by side. */
export function Replay(props: { error: ErrorView; page: IPage }): React.ReactElement {
  const { error, page } = props;
  const { trans, model } = page;
  const [headers, setHeaders] = React.useState('');
  const [body, setBody] = React.useState<string>();
  const [isRunning, setRunning] = React.useState(false);
  const [answer, setAnswer] = React.useState<ReplayView | null>(null);
  const [problem, setProblem] = React.useState<unknown>(null);
  const hasBody = mayChangeSomething(error.method);

  const replay = async () => {
    if (mayChangeSomething(error.method)) {
      const isMeant = await confirm({
        trans,
        title: trans.__('Send %1 %2 again?', error.method, error.request.path),
        body: trans.__(
          'It goes to the app as it runs now and may change its data, as any such request does.'
        ),
        action: trans.__('Send it'),
        warn: true
      });
      if (!isMeant) {
        return;
      }
    }
    setRunning(true);
    setProblem(null);
    try {
      setAnswer(await model.errors.replay(error.id, { headers: parseHeaders(headers), body }));
    } catch (failure) {
      setProblem(failure);
    } finally {
      setRunning(false);
    }
  };

  return (
    <section className="gf-Replay">
      <h3 className="gf-Heading gf-mod-small">{trans.__('Is it mended?')}</h3>
      <details className="gf-Replay-change">
        <summary>{trans.__('Change what is sent')}</summary>
        <label className="gf-Field">
          <span>{trans.__('More headers, a line each')}</span>
          <textarea
            className="jp-mod-styled gf-Input gf-mod-code"
            rows={2}
            placeholder="Authorization: Bearer ..."
            spellCheck={false}
            value={headers}
            onChange={event => setHeaders(event.target.value)}
          />
        </label>
        {hasBody && (
          <label className="gf-Field">
            <span>{trans.__('Body')}</span>
            <textarea
              className="jp-mod-styled gf-Input gf-mod-code"
              rows={4}
              spellCheck={false}
              value={body ?? (error.request.body_is_base64 ? '' : (error.request.body ?? ''))}
              onChange={event => setBody(event.target.value)}
            />
          </label>
        )}
      </details>
      <Button className="gf-Action" disabled={isRunning} onClick={() => void replay()}>
        <refreshIcon.react tag="span" className="gf-Icon" />
        {trans.__('Send the request again')}
      </Button>
      {isRunning && <Busy label={trans.__('Waiting for the answer')} />}
      {problem != null && <ErrorNotice error={problem} trans={trans} onRetry={() => void replay()} />}
      {answer && (
        <div role="status">
          <div className="gf-Replay-answers">
            <AnswerView
              answer={answer.before}
              label={trans.__('Before, version %1', error.version)}
              page={page}
            />
            <AnswerView answer={answer.now} label={trans.__('Now, version %1', answer.version)} page={page} />
          </div>
          {answer.left_out && answer.left_out.length > 0 && (
            <p className="gf-Quiet">
              {trans.__('The request was not whole; it lacked %1.', answer.left_out.join(', '))}
            </p>
          )}
        </div>
      )}
    </section>
  );
}

function AnswerView(props: { answer: Answer; label: string; page: IPage }): React.ReactElement {
  const { answer, label, page } = props;
  const { trans } = page;
  return (
    <div className={`gf-Replay-answer ${answer.status >= 400 ? 'gf-mod-bad' : 'gf-mod-good'}`}>
      <h4 className="gf-Replay-title">
        {label}
        <span className={`gf-Tag ${answer.status >= 400 ? 'gf-mod-bad' : 'gf-mod-good'}`}>
          {answer.status}
        </span>
        {answer.seconds != null && <span className="gf-Quiet">{milliseconds(1000 * answer.seconds)}</span>}
      </h4>
      <Traceback text={answer.body ?? trans.__('(no text)')} label={label} />
    </div>
  );
}
