import { useEffect, useRef } from "react";
import { useTexts } from "../../i18n";
import { Button, Field, Icon } from "../../ui";
import { MOST_PERSON_TAGS, MOST_TAG_LENGTH, type PersonDraft, type PersonFaults } from "./newDemand";
import styles from "./People.module.css";
import { TagEditor } from "./TagEditor";

export interface PersonRowProps {
  readonly number: number;
  readonly person: PersonDraft;
  readonly faults: PersonFaults;
  readonly change: (person: PersonDraft) => void;
  readonly remove: () => void;
}

export function PersonRow({ number, person, faults, change, remove }: PersonRowProps) {
  const { form } = useTexts();
  const name = useRef<HTMLInputElement>(null);
  useEffect(() => name.current?.focus(), []);
  const title = form.person(number);
  return (
    <fieldset className={styles.person} data-testid={`person-${number}`}>
      <legend className="visually-hidden">{title}</legend>
      <Field label={form.personName} error={faults.name}>
        <input
          ref={name}
          value={person.name}
          autoComplete="off"
          onChange={(event) => change({ ...person, name: event.target.value })}
        />
      </Field>
      <Field label={form.personTags} error={faults.tags}>
        <TagEditor
          tags={person.tags}
          most={MOST_PERSON_TAGS}
          longest={MOST_TAG_LENGTH}
          change={(tags) => change({ ...person, tags })}
        />
      </Field>
      <Button variant="ghost" aria-label={form.removePerson(person.name || title)} onClick={remove}>
        <Icon name="cross" />
      </Button>
    </fieldset>
  );
}
