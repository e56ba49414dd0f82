-- What happened, in its order. Rows are added and, when they are old, removed.
CREATE TABLE tower_auth_audit (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  actor_kind TEXT,
  actor_id TEXT,
  credential TEXT,
  scheme TEXT,
  subject_kind TEXT,
  subject_id TEXT,
  target TEXT,
  scope TEXT,
  peer TEXT,
  method TEXT,
  route TEXT,
  request_id TEXT,
  kind TEXT,
  reason TEXT
) STRICT;
CREATE INDEX tower_auth_audit_at ON tower_auth_audit (at);
