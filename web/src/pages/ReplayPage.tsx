import { useState } from "react";
import { DownloadButton } from "../components/replay/DownloadButton";
import { loadRecording } from "../components/replay/download";
import { ImportPanel } from "../components/replay/ImportPanel";
import { ReplayStage } from "../components/replay/ReplayStage";
import { hrefTo } from "../hooks/useHashRoute";
import { useResource } from "../hooks/useResource";
import { useTexts } from "../i18n";
import type { Recording } from "../state/replay";
import { Button } from "../ui/Button";
import { Empty } from "../ui/Empty";
import { ProblemNote } from "../ui/ProblemNote";
import { Skeleton } from "../ui/Skeleton";

/** A run of the node, or a recording from the reader's disk, event by event. */
export function ReplayPage({ demandId }: { readonly demandId: string | null }) {
  return demandId === null ? <FromFile /> : <FromNode key={demandId} demandId={demandId} />;
}

function FromFile() {
  const { replay: t } = useTexts();
  const [recording, setRecording] = useState<Recording | null>(null);
  if (recording === null) {
    return (
      <>
        <h1>{t.title}</h1>
        <ImportPanel onOpen={setRecording} />
      </>
    );
  }
  return (
    <ReplayStage recording={recording} source="file">
      <Button size="s" data-testid="replay-another" onClick={() => setRecording(null)}>
        {t.another}
      </Button>
    </ReplayStage>
  );
}

function FromNode({ demandId }: { readonly demandId: string }) {
  const { replay: t } = useTexts();
  const { data, problem, reload } = useResource((signal) => loadRecording(demandId, signal), [demandId]);
  if (data && data.events.length > 0) {
    return (
      <ReplayStage recording={data} source="recorded">
        <DownloadButton demandId={demandId} recording={data} />
      </ReplayStage>
    );
  }
  return (
    <>
      <h1>{t.title}</h1>
      {!data && !problem && (
        <div role="status">
          <p>{t.loading}</p>
          <Skeleton lines={5} />
        </div>
      )}
      {problem && (
        <ProblemNote
          title={t.notLoaded}
          problem={problem}
          action={<Button onClick={reload}>{t.again}</Button>}
        />
      )}
      {data && (
        <Empty title={t.noEvents} action={<a href={hrefTo({ page: "list" })}>{t.toList}</a>}>
          {t.noEventsHint}
        </Empty>
      )}
    </>
  );
}
