-- The reference schema of a council's (or an ALMO's) housing database, as SQLite.
-- Keys and references are text. Money is text of fixed scale, held to it by a CHECK. Dates are
-- text `YYYY-MM-DD`, moments RFC 3339 in UTC, flags 0 or 1.
-- One column a line, its CHECK last: `target.rs` makes the other engines' DDL out of these lines.
-- `source_system`, `source_ref` and `loaded_run_id` say where a loaded row came from.

CREATE TABLE handover_made_up (
  seed TEXT NOT NULL,
  world TEXT NOT NULL
);

CREATE TABLE organisation (
  org_id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  aliases TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('council', 'almo', 'tmo', 'successor', 'contractor')),
  gss_code TEXT,
  active_from TEXT,
  active_to TEXT,
  absorbed_by TEXT REFERENCES organisation (org_id)
);

CREATE TABLE asset (
  asset_id TEXT PRIMARY KEY NOT NULL,
  asset_ref TEXT NOT NULL,
  uprn TEXT CHECK (uprn NOT GLOB '*[^0-9]*' AND length(uprn) BETWEEN 1 AND 12),
  parent_asset_id TEXT REFERENCES asset (asset_id),
  level TEXT NOT NULL CHECK (level IN ('estate', 'block', 'sub-block', 'dwelling', 'garage', 'shop', 'communal', 'land', 'store')),
  type TEXT NOT NULL,
  owner_org_id TEXT NOT NULL REFERENCES organisation (org_id),
  landlord_org_id TEXT NOT NULL REFERENCES organisation (org_id),
  manager_org_id TEXT NOT NULL REFERENCES organisation (org_id),
  patch TEXT,
  ward TEXT,
  built_year TEXT,
  bedrooms INTEGER,
  floors INTEGER,
  has_gas INTEGER CHECK (has_gas IN (0, 1)),
  heating TEXT,
  leasehold INTEGER CHECK (leasehold IN (0, 1)),
  sheltered INTEGER CHECK (sheltered IN (0, 1)),
  lettable INTEGER CHECK (lettable IN (0, 1)),
  rtb_eligible INTEGER CHECK (rtb_eligible IN (0, 1)),
  occupied_status TEXT,
  epc_rating TEXT,
  decent_homes TEXT,
  completed_on TEXT,
  disposed_on TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT,
  UNIQUE (owner_org_id, asset_ref)
);
CREATE INDEX asset_parent ON asset (parent_asset_id);
CREATE INDEX asset_uprn ON asset (uprn);

CREATE TABLE asset_address (
  asset_id TEXT PRIMARY KEY NOT NULL REFERENCES asset (asset_id),
  line1 TEXT,
  line2 TEXT,
  line3 TEXT,
  line4 TEXT,
  town TEXT,
  postcode TEXT,
  raw_text TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX asset_address_postcode ON asset_address (postcode);

CREATE TABLE asset_management (
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  org_id TEXT NOT NULL REFERENCES organisation (org_id),
  valid_from TEXT NOT NULL,
  valid_to TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT,
  PRIMARY KEY (asset_id, valid_from)
);

CREATE TABLE person (
  person_id TEXT PRIMARY KEY NOT NULL,
  title TEXT,
  forename TEXT,
  middle TEXT,
  surname TEXT,
  preferred_name TEXT,
  dob TEXT,
  dob_quality TEXT CHECK (dob_quality IN ('exact', 'year', 'unknown')),
  deceased TEXT CHECK (deceased IN ('0', '1')),
  deceased_on TEXT,
  ni_no TEXT,
  language_code TEXT,
  merged_into TEXT REFERENCES person (person_id),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX person_name ON person (surname, forename);

CREATE TABLE person_sensitive (
  person_id TEXT NOT NULL REFERENCES person (person_id),
  category TEXT NOT NULL,
  value TEXT,
  basis TEXT NOT NULL,
  review_on TEXT NOT NULL,
  PRIMARY KEY (person_id, category)
);

CREATE TABLE contact_point (
  contact_point_id TEXT PRIMARY KEY NOT NULL,
  person_id TEXT NOT NULL REFERENCES person (person_id),
  kind TEXT NOT NULL CHECK (kind IN ('email', 'mobile', 'landline', 'phone', 'post')),
  value TEXT NOT NULL,
  postcode TEXT,
  purpose TEXT,
  status TEXT NOT NULL DEFAULT 'valid' CHECK (status IN ('valid', 'invalid', 'bounced', 'gone')),
  is_safe INTEGER CHECK (is_safe IN (0, 1)),
  verified_on TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX contact_point_person ON contact_point (person_id);

CREATE TABLE contact_preference (
  person_id TEXT NOT NULL REFERENCES person (person_id),
  purpose TEXT NOT NULL CHECK (purpose IN ('service', 'legal', 'marketing', 'survey')),
  opt TEXT NOT NULL CHECK (opt IN ('in', 'out')),
  accessible_format TEXT,
  language TEXT,
  set_on TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT,
  PRIMARY KEY (person_id, purpose)
);

CREATE TABLE risk_alert (
  risk_alert_id TEXT PRIMARY KEY NOT NULL,
  person_id TEXT REFERENCES person (person_id),
  asset_id TEXT REFERENCES asset (asset_id),
  code TEXT NOT NULL,
  starts_on TEXT,
  review_on TEXT NOT NULL,
  ends_on TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX risk_alert_person ON risk_alert (person_id);

CREATE TABLE household (
  household_id TEXT PRIMARY KEY NOT NULL,
  household_ref TEXT NOT NULL,
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  name TEXT,
  moved_in TEXT,
  moved_out TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX household_asset ON household (asset_id);
CREATE INDEX household_reference ON household (household_ref);

CREATE TABLE household_member (
  household_id TEXT NOT NULL REFERENCES household (household_id),
  person_id TEXT NOT NULL REFERENCES person (person_id),
  person_no TEXT,
  relationship TEXT,
  responsible INTEGER CHECK (responsible IN (0, 1)),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT,
  PRIMARY KEY (household_id, person_id)
);
CREATE INDEX household_member_person ON household_member (person_id);

CREATE TABLE tenancy (
  tenancy_id TEXT PRIMARY KEY NOT NULL,
  tenancy_ref TEXT NOT NULL,
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  household_id TEXT REFERENCES household (household_id),
  landlord_org_id TEXT NOT NULL REFERENCES organisation (org_id),
  tenure_code TEXT NOT NULL,
  starts_on TEXT NOT NULL,
  ends_on TEXT,
  end_reason TEXT,
  succession_on TEXT,
  sublet INTEGER CHECK (sublet IN (0, 1)),
  current INTEGER CHECK (current IN (0, 1)),
  rent_group TEXT,
  payment_ref TEXT UNIQUE,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT,
  UNIQUE (landlord_org_id, tenancy_ref)
);
CREATE INDEX tenancy_asset ON tenancy (asset_id);

CREATE TABLE tenancy_party (
  tenancy_id TEXT NOT NULL REFERENCES tenancy (tenancy_id),
  person_id TEXT NOT NULL REFERENCES person (person_id),
  role TEXT NOT NULL CHECK (role IN ('tenant', 'joint', 'guarantor', 'executor', 'occupier')),
  starts_on TEXT,
  ends_on TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT,
  PRIMARY KEY (tenancy_id, person_id)
);
CREATE INDEX tenancy_party_person ON tenancy_party (person_id);

CREATE TABLE lease (
  lease_id TEXT PRIMARY KEY NOT NULL,
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  starts_on TEXT,
  ground_rent TEXT CHECK (ground_rent GLOB '*[0-9].[0-9][0-9]' AND ground_rent NOT GLOB '*[^-0-9.]*'),
  block_pct TEXT CHECK (block_pct GLOB '*[0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'),
  estate_pct TEXT CHECK (estate_pct GLOB '*[0-9].[0-9][0-9][0-9][0-9][0-9][0-9]'),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX lease_asset ON lease (asset_id);

CREATE TABLE account (
  account_id TEXT PRIMARY KEY NOT NULL,
  payment_ref TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('rent', 'garage', 'service_charge', 'fta', 'court', 'recharge', 'suspense')),
  tenancy_id TEXT REFERENCES tenancy (tenancy_id),
  balance TEXT NOT NULL CHECK (balance GLOB '*[0-9].[0-9][0-9]' AND balance NOT GLOB '*[^-0-9.]*'),
  balance_as_at TEXT,
  status TEXT,
  rent_group TEXT,
  frequency TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX account_tenancy ON account (tenancy_id);
CREATE INDEX account_payment ON account (payment_ref);

CREATE TABLE charge (
  charge_id TEXT PRIMARY KEY NOT NULL,
  asset_id TEXT REFERENCES asset (asset_id),
  tenancy_id TEXT REFERENCES tenancy (tenancy_id),
  code TEXT NOT NULL,
  value TEXT NOT NULL CHECK (value GLOB '*[0-9].[0-9][0-9]' AND value NOT GLOB '*[^-0-9.]*'),
  frequency TEXT,
  eff_from TEXT,
  eff_to TEXT,
  hb_eligible INTEGER CHECK (hb_eligible IN (0, 1)),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX charge_tenancy ON charge (tenancy_id);
CREATE INDEX charge_asset ON charge (asset_id);

CREATE TABLE "transaction" (
  txn_id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES account (account_id),
  posted_on TEXT NOT NULL,
  rent_year INTEGER,
  period_no INTEGER,
  type_code TEXT NOT NULL,
  source TEXT,
  amount TEXT NOT NULL CHECK (amount GLOB '*[0-9].[0-9][0-9]' AND amount NOT GLOB '*[^-0-9.]*'),
  batch_no TEXT,
  receipt_ref TEXT,
  narrative TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX transaction_account ON "transaction" (account_id, posted_on);

CREATE TABLE direct_debit (
  ddi_id TEXT PRIMARY KEY NOT NULL,
  account_id TEXT NOT NULL REFERENCES account (account_id),
  reference TEXT NOT NULL CHECK (length(reference) <= 18),
  status TEXT NOT NULL CHECK (status IN ('pending', 'live', 'cancelled', 'rejected')),
  amount TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]' AND amount NOT GLOB '*[^-0-9.]*'),
  total_due TEXT CHECK (total_due GLOB '*[0-9].[0-9][0-9]' AND total_due NOT GLOB '*[^-0-9.]*'),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX direct_debit_account ON direct_debit (account_id);

CREATE TABLE supplier (
  supplier_id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  company_no TEXT,
  vat_no TEXT
);

CREATE TABLE repair_request (
  request_id TEXT PRIMARY KEY NOT NULL,
  request_ref TEXT NOT NULL,
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  reported_at TEXT NOT NULL,
  priority TEXT NOT NULL,
  due_at TEXT,
  status TEXT NOT NULL,
  problem TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX repair_request_asset ON repair_request (asset_id);
CREATE INDEX repair_request_reference ON repair_request (request_ref);

CREATE TABLE hazard_case (
  hazard_id TEXT PRIMARY KEY NOT NULL,
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  request_id TEXT REFERENCES repair_request (request_id),
  aware_at TEXT NOT NULL,
  class TEXT NOT NULL CHECK (class IN ('emergency', 'significant')),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX hazard_case_asset ON hazard_case (asset_id);

CREATE TABLE work_order (
  work_order_id TEXT PRIMARY KEY NOT NULL,
  work_order_ref TEXT NOT NULL,
  request_id TEXT REFERENCES repair_request (request_id),
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  created_at TEXT NOT NULL,
  due_on TEXT,
  completed_on TEXT,
  status TEXT NOT NULL,
  contractor_ref TEXT,
  cost TEXT CHECK (cost GLOB '*[0-9].[0-9][0-9]' AND cost NOT GLOB '*[^-0-9.]*'),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX work_order_asset ON work_order (asset_id);
CREATE INDEX work_order_request ON work_order (request_id);

CREATE TABLE work_order_line (
  line_id TEXT PRIMARY KEY NOT NULL,
  work_order_id TEXT NOT NULL REFERENCES work_order (work_order_id),
  line_no TEXT,
  sor_code TEXT,
  quantity TEXT CHECK (quantity GLOB '*[0-9].[0-9][0-9]'),
  cost TEXT CHECK (cost GLOB '*[0-9].[0-9][0-9]' AND cost NOT GLOB '*[^-0-9.]*'),
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX work_order_line_order ON work_order_line (work_order_id);

CREATE TABLE document (
  document_id TEXT PRIMARY KEY NOT NULL,
  document_ref TEXT NOT NULL,
  asset_id TEXT REFERENCES asset (asset_id),
  tenancy_id TEXT REFERENCES tenancy (tenancy_id),
  title TEXT,
  path TEXT,
  state TEXT NOT NULL CHECK (state IN ('held', 'missing')),
  mime TEXT,
  bytes INTEGER,
  sha256 TEXT,
  created_at TEXT,
  retention_class TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX document_asset ON document (asset_id);

CREATE TABLE certificate (
  certificate_id TEXT PRIMARY KEY NOT NULL,
  certificate_ref TEXT,
  asset_id TEXT NOT NULL REFERENCES asset (asset_id),
  regime TEXT NOT NULL CHECK (regime IN ('gas', 'eicr', 'fra', 'legionella', 'asbestos', 'lift', 'smoke_co', 'epc', 'fire_door')),
  done_on TEXT,
  result TEXT,
  next_due TEXT,
  evidence TEXT NOT NULL CHECK (evidence IN ('verified', 'unverified', 'missing')),
  document_ref TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX certificate_asset ON certificate (asset_id, regime);

CREATE TABLE safety_action (
  action_id TEXT PRIMARY KEY NOT NULL,
  certificate_id TEXT NOT NULL REFERENCES certificate (certificate_id),
  risk TEXT,
  due_on TEXT,
  owner_post TEXT,
  done_on TEXT
);

CREATE TABLE "case" (
  case_id TEXT PRIMARY KEY NOT NULL,
  case_ref TEXT,
  kind TEXT NOT NULL CHECK (kind IN ('complaint', 'asb', 'foi', 'sar', 'disrepair', 'rtb', 'court', 'mp', 'agreement')),
  asset_id TEXT REFERENCES asset (asset_id),
  tenancy_id TEXT REFERENCES tenancy (tenancy_id),
  opened_at TEXT,
  stage TEXT,
  due_on TEXT,
  closed_on TEXT,
  amount TEXT CHECK (amount GLOB '*[0-9].[0-9][0-9]' AND amount NOT GLOB '*[^-0-9.]*'),
  start_balance TEXT CHECK (start_balance GLOB '*[0-9].[0-9][0-9]' AND start_balance NOT GLOB '*[^-0-9.]*'),
  frequency TEXT,
  owner_post TEXT,
  outcome TEXT,
  summary TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE INDEX case_tenancy ON "case" (tenancy_id);
CREATE INDEX case_asset ON "case" (asset_id);

CREATE TABLE contract (
  contract_id TEXT PRIMARY KEY NOT NULL,
  contract_ref TEXT NOT NULL,
  supplier_name TEXT NOT NULL,
  buyer_org_id TEXT NOT NULL REFERENCES organisation (org_id),
  title TEXT NOT NULL,
  starts_on TEXT,
  ends_on TEXT,
  value TEXT CHECK (value GLOB '*[0-9].[0-9][0-9]' AND value NOT GLOB '*[^-0-9.]*'),
  route TEXT NOT NULL CHECK (route IN ('novate', 'assign', 're-let', 'terminate', 'expire', 'trust', 'own')),
  procured_under TEXT,
  signed_outgoing TEXT,
  signed_incoming TEXT,
  signed_supplier TEXT,
  novated_on TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT,
  UNIQUE (buyer_org_id, contract_ref)
);

CREATE TABLE employee (
  employee_id TEXT PRIMARY KEY NOT NULL,
  employee_ref TEXT NOT NULL,
  title TEXT,
  forename TEXT NOT NULL,
  surname TEXT NOT NULL,
  dob TEXT,
  post_title TEXT NOT NULL,
  grade TEXT,
  employer_org_id TEXT NOT NULL REFERENCES organisation (org_id),
  employed_from TEXT NOT NULL,
  employed_to TEXT,
  continuous_service_start TEXT NOT NULL,
  contract_type TEXT NOT NULL,
  hours_week TEXT NOT NULL CHECK (hours_week GLOB '*[0-9].[0-9][0-9]'),
  annual_pay TEXT NOT NULL CHECK (annual_pay GLOB '*[0-9].[0-9][0-9]' AND annual_pay NOT GLOB '*[^-0-9.]*'),
  pension_scheme TEXT,
  assigned TEXT CHECK (assigned IN ('0', '1')),
  assignment_reason TEXT,
  objected_on TEXT,
  source_system TEXT,
  source_ref TEXT,
  loaded_run_id TEXT
);
CREATE UNIQUE INDEX employee_reference ON employee (employer_org_id, employee_ref);

CREATE TABLE user_access (
  post TEXT NOT NULL,
  system TEXT NOT NULL,
  role TEXT NOT NULL,
  approved_by TEXT,
  valid_from TEXT,
  valid_to TEXT,
  PRIMARY KEY (post, system, role)
);
