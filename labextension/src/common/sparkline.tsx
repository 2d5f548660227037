import * as React from 'react';

const WIDTH = 100;
const HEIGHT = 24;

/** A line as small as a word. Decoration: the figures beside it say the same. */
export function Sparkline(props: { values: ReadonlyArray<number> }): React.ReactElement | null {
  const { values } = props;
  if (values.length < 2) {
    return null;
  }
  const top = Math.max(...values, 1);
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * WIDTH;
    const y = HEIGHT - 1 - (value / top) * (HEIGHT - 2);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg
      className="gf-Sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polygon className="gf-Sparkline-area" points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
      <polyline className="gf-Sparkline-line" points={points.join(' ')} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
