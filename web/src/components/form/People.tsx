import { useRef } from "react";
import { useTexts } from "../../i18n";
import { Button, Icon } from "../../ui";
import { MOST_PEOPLE, type PersonDraft, type PersonFaults } from "./newDemand";
import styles from "./People.module.css";
import { PersonRow } from "./PersonRow";

export interface PeopleProps {
  readonly people: readonly PersonDraft[];
  readonly faults: Readonly<Record<number, PersonFaults>>;
  readonly change: (people: readonly PersonDraft[]) => void;
}

/** People whom the requester wants to have asked beside the agents. */
export function People({ people, faults, change }: PeopleProps) {
  const { form } = useTexts();
  const next = useRef(1);
  const adder = useRef<HTMLButtonElement>(null);
  const add = () => change([...people, { key: next.current++, name: "", tags: [] }]);
  const remove = (key: number) => {
    change(people.filter((one) => one.key !== key));
    adder.current?.focus();
  };
  return (
    <fieldset className={styles.people}>
      <legend className={styles.legend}>{form.people}</legend>
      <p className={styles.hint}>{form.peopleHint}</p>
      {people.map((person, index) => (
        <PersonRow
          key={person.key}
          number={index + 1}
          person={person}
          faults={faults[person.key] ?? {}}
          change={(changed) => change(people.map((one) => (one.key === changed.key ? changed : one)))}
          remove={() => remove(person.key)}
        />
      ))}
      <p>
        <Button ref={adder} data-testid="people-add" disabled={people.length >= MOST_PEOPLE} onClick={add}>
          <Icon name="plus" />
          {form.addPerson}
        </Button>
      </p>
    </fieldset>
  );
}
