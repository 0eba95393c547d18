import { useTexts } from "../i18n";

export function FormPage() {
  const { shell } = useTexts();
  return <h1>{shell.pages.form}</h1>;
}
