CREATE TABLE property (prop_ref TEXT, uprn TEXT, address TEXT, owed TEXT);
CREATE TABLE member (prop_ref TEXT, person_no TEXT, surname TEXT, ni_no TEXT, email TEXT, phone TEXT);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
INSERT INTO property
SELECT printf('H%03d', i), printf('1000%08d', i * 7919), i || ' Canary Close', printf('%d.%02d', i * 13, i)
FROM n;
INSERT INTO member
SELECT prop_ref, '1', 'Canaryson' || substr(prop_ref, 2), 'QQ' || printf('%06d', rowid * 104729 % 1000000) || 'C',
  'canary.' || lower(prop_ref) || '@mail.example', '07700 900' || printf('%03d', rowid)
FROM property;
