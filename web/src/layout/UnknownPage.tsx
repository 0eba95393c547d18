import { hrefTo } from "../hooks/useHashRoute";
import { useTexts } from "../i18n";
import { Empty } from "../ui";

export function UnknownPage() {
  const { shell } = useTexts();
  return (
    <>
      <h1>{shell.pages.unknown}</h1>
      <Empty title={shell.unknownPage} action={<a href={hrefTo({ page: "form" })}>{shell.toStart}</a>}>
        {shell.unknownPageHint}
      </Empty>
    </>
  );
}
