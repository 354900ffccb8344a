/**
 * Table: rows as aligned columns, without borders, one row per line.
 *
 * Always true: numbers stand right, text left; the last column is not padded; an empty list still
 * has its head.
 * Used by output.ts.
 */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string | number
  /** Only with `--output wide`. */
  readonly wide?: boolean
}

/** Printable width: control characters would break the line, so they are shown escaped. */
function shown(value: string | number): string {
  return String(value).replace(/\p{Cc}/gu, c => {
    return `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  wide = false,
): string {
  const used = columns.filter(column => wide || column.wide !== true)
  const cells = rows.map(row => used.map(column => column.cell(row)))
  const lines = [used.map(column => column.title), ...cells.map(line => line.map(shown))]
  const right = used.map((_, i) => cells.length > 0 && cells.every(l => typeof l[i] === 'number'))
  const widths = used.map((_, i) => Math.max(...lines.map(line => line[i]?.length ?? 0)))
  const text = lines.map(line =>
    line
      .map((cell, i) => {
        const width = widths[i] ?? 0
        if (right[i] === true) return cell.padStart(width)
        return i === line.length - 1 ? cell : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${text.join('\n')}\n`
}
