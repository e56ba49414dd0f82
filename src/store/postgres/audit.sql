-- What happened, in its order. Rows are added and, when they are old, removed.
CREATE TABLE tower_auth_audit (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at bigint NOT NULL,
  action text NOT NULL,
  actor_kind text,
  actor_id text,
  credential text,
  scheme text,
  subject_kind text,
  subject_id text,
  target text,
  scope text,
  peer text,
  method text,
  route text,
  request_id text,
  kind text,
  reason text
);
CREATE INDEX tower_auth_audit_at ON tower_auth_audit (at);
