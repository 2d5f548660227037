import qrcode from 'qrcode-generator';

/** White around the code, in modules, without which scanners do not find it. */
const QUIET = 4;

/** A text as the path of an SVG picture of `size` times `size`. */
export function qrPath(text: string): { size: number; path: string } {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const modules = code.getModuleCount();
  const squares: string[] = [];
  for (let row = 0; row < modules; row += 1) {
    for (let column = 0; column < modules; column += 1) {
      if (code.isDark(row, column)) {
        squares.push(`M${column + QUIET} ${row + QUIET}h1v1h-1z`);
      }
    }
  }
  return { size: modules + 2 * QUIET, path: squares.join('') };
}
