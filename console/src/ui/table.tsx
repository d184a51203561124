/** A table that scrolls by itself. */
import type { ComponentChildren } from 'preact';
import { Scroll } from './page.tsx';

/** The head of a column; `number` sets it to the right, as its cells are. */
type Column = string | { number: string };

export const Table = ({ label, columns, children }: { label: string; columns: readonly Column[]; children: ComponentChildren }) => (
  <Scroll label={label}>
    <table>
      <thead>
        <tr>
          {columns.map((column) =>
            typeof column === 'string' ? (
              <th scope="col" key={column}>
                {column}
              </th>
            ) : (
              <th scope="col" class="number" key={column.number}>
                {column.number}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </Scroll>
);
