import { DemandForm } from "../components/form/DemandForm";
import { useTexts } from "../i18n";
import styles from "./FormPage.module.css";

export function FormPage() {
  const { form } = useTexts();
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>{form.title}</h1>
        <p>{form.intro}</p>
      </header>
      <DemandForm />
    </div>
  );
}
