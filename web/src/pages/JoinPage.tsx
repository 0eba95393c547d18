import { useTexts } from "../i18n";

export function JoinPage(_link: { readonly channelId: string; readonly token: string }) {
  const { shell } = useTexts();
  return <h1>{shell.pages.join}</h1>;
}
