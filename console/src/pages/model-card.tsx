/** The model card, written by the API from recorded facts: to read here, or to keep as a file. */
import { useRead } from '../state/query.ts';
import { saveText } from '../charts/downloads.ts';
import { Shown } from '../ui/page.tsx';

export const ModelCard = ({ model, version }: { model: string; version: number }) => (
  <Shown read={useRead('/api/v1/models/{model}/versions/{version}/card', { params: { model, version: String(version) }, pollMs: 60_000 })}>
    {({ markdown }) => (
      <>
        <button type="button" onClick={() => saveText(`${model}-${version}.md`, markdown)}>
          Save as Markdown
        </button>
        <pre class="log" tabIndex={0} aria-label="Model card">
          {markdown}
        </pre>
      </>
    )}
  </Shown>
);
