import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { TranslationBundle } from '../../common/translation';
import type { IShownLine } from './buffer';

/** As many lines are in the page; earlier ones on demand, as many again each time. */
const PAGE_LINES = 500;
/** So near to the end, the view goes along with it. */
const NEAR_PIXELS = 40;

/** Lines of a log. The view stays at the end unless the person scrolls away from it. */
export function LogLines(props: {
  lines: ReadonlyArray<IShownLine>;
  isWrapped: boolean;
  isPaused: boolean;
  trans: TranslationBundle;
}): React.ReactElement {
  const { lines, isWrapped, trans } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const content = React.useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = React.useState(true);
  const [most, setMost] = React.useState(PAGE_LINES);
  const shown = lines.slice(-most);
  const earlier = lines.length - shown.length;
  const last = lines.at(-1)?.key;

  const toEnd = () => host.current?.scrollTo({ top: host.current.scrollHeight });
  React.useLayoutEffect(() => {
    if (isAtEnd) {
      toEnd();
    }
  }, [last, isWrapped, isAtEnd]);
  // How tall a line is that wraps is known only once it came into view, and changes with the width.
  React.useEffect(() => {
    if (!isAtEnd) {
      return;
    }
    const observer = new ResizeObserver(toEnd);
    observer.observe(host.current!);
    observer.observe(content.current!);
    return () => observer.disconnect();
  }, [isAtEnd]);

  return (
    <div className="gf-LogLines">
      <div
        ref={host}
        className={`gf-LogLines-lines ${isWrapped ? 'gf-mod-wrapped' : ''}`}
        role="log"
        aria-live="off"
        aria-label={trans.__('Lines of the log')}
        tabIndex={0}
        onScroll={event => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          setAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_PIXELS);
        }}
      >
        <div ref={content}>
          {earlier > 0 && (
            <Button
              className="gf-Action gf-LogLines-earlier"
              onClick={() => {
                setAtEnd(false);
                setMost(most + PAGE_LINES);
              }}
            >
              {trans._n('Show the earlier line', 'Show earlier lines (%1)', earlier)}
            </Button>
          )}
          {shown.map(line => (
            <Line key={line.key} line={line} />
          ))}
        </div>
      </div>
      {!isAtEnd && (
        <Button
          className="gf-Action gf-LogLines-end"
          onClick={() => {
            setMost(PAGE_LINES);
            setAtEnd(true);
            toEnd();
          }}
        >
          {trans.__('To the latest line')}
        </Button>
      )}
    </div>
  );
}

const Line = React.memo(function Line(props: { line: IShownLine }): React.ReactElement {
  const { line } = props;
  const at = new Date(line.time);
  return (
    <div className={`gf-LogLine gf-mod-${line.level ?? 'plain'}`}>
      <time className="gf-LogLine-time" dateTime={line.time} title={at.toLocaleString()}>
        {at.toLocaleTimeString(undefined, { hour12: false })}
      </time>
      <span className="gf-LogLine-version">v{line.version}</span>
      <span className="gf-LogLine-text">{line.text || ' '}</span>
    </div>
  );
});
