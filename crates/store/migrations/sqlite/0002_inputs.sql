-- Images and composes have inputs of other kinds than a buildroot.
ALTER TABLE builds RENAME COLUMN buildroot TO inputs;
