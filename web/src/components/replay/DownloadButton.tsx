import { useState } from "react";
import { asProblem } from "../../api/problem";
import { useLang, useTexts } from "../../i18n";
import type { Recording } from "../../state/replay";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { problemLine } from "../../ui/problemWords";
import { useToast } from "../../ui/Toast";
import { loadRecording, saveFile } from "./download";

export interface DownloadButtonProps {
  readonly demandId: string;
  /** One that is at hand already; else the node is asked for every event. */
  readonly recording?: Recording;
}

/** Gives all events of a run as a file that the replay page can open. */
export function DownloadButton({ demandId, recording }: DownloadButtonProps) {
  const { replay: t, errors } = useTexts();
  const { lang } = useLang();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const download = async () => {
    setBusy(true);
    try {
      saveFile(recording ?? (await loadRecording(demandId)));
    } catch (thrown) {
      toast(t.downloadFailed(problemLine(asProblem(thrown), errors, lang)), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="s" busy={busy} data-testid="download" onClick={() => void download()}>
      <Icon name="download" /> {t.download}
    </Button>
  );
}
