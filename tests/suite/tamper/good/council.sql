CREATE TABLE home (
  home_id TEXT PRIMARY KEY NOT NULL, home_ref TEXT NOT NULL UNIQUE, uprn TEXT, line1 TEXT, owed TEXT NOT NULL,
  loaded_run_id TEXT
);
CREATE TABLE person (
  person_id TEXT PRIMARY KEY NOT NULL, home_id TEXT NOT NULL REFERENCES home (home_id), surname TEXT,
  ni_no TEXT, email TEXT, phone TEXT, loaded_run_id TEXT
);
