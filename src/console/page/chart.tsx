/** uPlot in a component: drawn anew when its shape or the colours change, else fed. Each has its figures in words beside it. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export interface ChartProps {
  readonly label: string;
  /** Everything but the size; colours by the names of the style sheet. */
  readonly options: () => Omit<uPlot.Options, 'width' | 'height'>;
  readonly data: uPlot.AlignedData;
  /** Changes when the options do. */
  readonly shape: string;
}

const HEIGHT = 180;

export function Chart({ label, options, data, shape }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const { current } = place;
    if (current === null) return undefined;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new uPlot({ ...options(), width: current.clientWidth, height: HEIGHT }, data, current);
    };
    draw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    const sizes = new ResizeObserver(() => plot.current?.setSize({ width: current.clientWidth, height: HEIGHT }));
    sizes.observe(current);
    return () => {
      sizes.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function axis(more: uPlot.Axis = {}): uPlot.Axis {
  const line = { stroke: colour('line'), width: 1 };
  return { stroke: colour('text'), grid: line, ticks: line, font: '12px system-ui', ...more };
}
