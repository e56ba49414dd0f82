-- Times are microseconds since 1970-01-01T00:00:00Z. Roles and names are JSON arrays of texts, scopes stand between spaces.

CREATE TABLE tower_auth_keys (
  id TEXT NOT NULL PRIMARY KEY,
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  hint TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  roles TEXT NOT NULL,
  metadata TEXT,
  rate TEXT,
  created INTEGER NOT NULL,
  expires INTEGER,
  revoked INTEGER,
  used INTEGER,
  lineage TEXT NOT NULL,
  successor TEXT
) STRICT;
CREATE INDEX tower_auth_keys_owner ON tower_auth_keys (owner_kind, owner_id, created, id);
CREATE INDEX tower_auth_keys_expires ON tower_auth_keys (expires) WHERE expires IS NOT NULL;
CREATE INDEX tower_auth_keys_revoked ON tower_auth_keys (revoked) WHERE revoked IS NOT NULL;

CREATE TABLE tower_auth_numbers (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT;

CREATE TABLE tower_auth_users (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  names TEXT NOT NULL,
  password TEXT,
  active INTEGER NOT NULL,
  scopes TEXT NOT NULL,
  roles TEXT NOT NULL,
  rate TEXT,
  profile TEXT,
  created INTEGER NOT NULL,
  removed INTEGER NOT NULL,
  taken_scopes TEXT NOT NULL DEFAULT '',
  taken_roles TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX tower_auth_users_not_whole ON tower_auth_users (kind, id)
  WHERE active = 0 OR taken_scopes <> '' OR taken_roles <> '';

CREATE TABLE tower_auth_user_names (
  name TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  FOREIGN KEY (kind, id) REFERENCES tower_auth_users (kind, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX tower_auth_user_names_user ON tower_auth_user_names (kind, id);

-- Users whose row somebody deleted by hand. They count as removed, so that their keys and tokens stay refused and nobody else gets
-- their id. A row that is inserted by hand again lifts it.
CREATE TABLE tower_auth_deleted_users (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT;

CREATE TABLE tower_auth_families (
  id TEXT NOT NULL PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  grants TEXT NOT NULL,
  created INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  current TEXT NOT NULL,
  expires INTEGER NOT NULL,
  previous TEXT,
  rotated INTEGER,
  revoked INTEGER
) STRICT;
CREATE INDEX tower_auth_families_subject ON tower_auth_families (subject_kind, subject_id, created, id);
CREATE INDEX tower_auth_families_ends ON tower_auth_families (ends);

CREATE TABLE tower_auth_private_tokens (
  id TEXT NOT NULL PRIMARY KEY,
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  revoked INTEGER,
  used INTEGER
) STRICT;
CREATE INDEX tower_auth_private_tokens_owner ON tower_auth_private_tokens (owner_kind, owner_id, created, id);
CREATE INDEX tower_auth_private_tokens_expires ON tower_auth_private_tokens (expires);

-- Kind 0 is a token, 1 a family.
CREATE TABLE tower_auth_revoked (
  kind INTEGER NOT NULL,
  id TEXT NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX tower_auth_revoked_until ON tower_auth_revoked (kind, until);

-- What the memory of other processes must hear of. What: 0 a token and 1 a family was revoked, 2 what became of a user
-- (number 0 disabled or removed, 1 neither, 2 rights were taken, which the user's row has), 3 a name, 4 a key. Writers are one after the other, so that numbers come in the order of their commits.
CREATE TABLE tower_auth_changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL DEFAULT (unixepoch() * 1000000),
  what INTEGER NOT NULL,
  kind TEXT,
  id TEXT,
  digest BLOB,
  number INTEGER,
  version INTEGER,
  -- A file that was restored from its backup goes on with the same numbers, but not with the same marks.
  mark INTEGER NOT NULL DEFAULT (random())
) STRICT;
CREATE INDEX tower_auth_changes_at ON tower_auth_changes (at);
-- No change, but something to begin after.
INSERT INTO tower_auth_changes (what) VALUES (-1);

CREATE TRIGGER tower_auth_key_changed AFTER UPDATE OF id, owner_kind, owner_id, name, hint, algorithm, digest, scopes,
  roles, metadata, rate, created, expires, revoked, lineage, successor ON tower_auth_keys
BEGIN
  INSERT INTO tower_auth_changes (what, digest) VALUES (4, OLD.digest);
  INSERT INTO tower_auth_changes (what, digest) SELECT 4, NEW.digest WHERE NEW.digest <> OLD.digest;
END;
CREATE TRIGGER tower_auth_key_removed AFTER DELETE ON tower_auth_keys
BEGIN
  INSERT INTO tower_auth_changes (what, digest) VALUES (4, OLD.digest);
END;

CREATE TRIGGER tower_auth_user_added AFTER INSERT ON tower_auth_users WHEN NEW.active = 0 OR NEW.taken_scopes <> '' OR NEW.taken_roles <> ''
BEGIN
  INSERT INTO tower_auth_changes (what, kind, id, number, version)
    VALUES (2, NEW.kind, NEW.id, CASE WHEN NEW.active = 0 THEN 0 ELSE 2 END, NEW.version);
END;
-- Whoever takes rights by hand does not count the version up: what they take is noted here.
CREATE TRIGGER tower_auth_rights_taken AFTER UPDATE OF scopes, roles ON tower_auth_users
  WHEN NEW.version = OLD.version AND (NEW.scopes <> OLD.scopes OR NEW.roles <> OLD.roles)
BEGIN
  UPDATE tower_auth_users SET
    taken_scopes = trim(taken_scopes || ' ' || OLD.scopes),
    taken_roles = taken_roles || CASE WHEN OLD.roles = '[]' THEN '' ELSE char(10) || OLD.roles END
    WHERE kind = NEW.kind AND id = NEW.id;
END;
CREATE TRIGGER tower_auth_user_changed AFTER UPDATE ON tower_auth_users
BEGIN
  INSERT INTO tower_auth_changes (what, kind, id, number, version)
    SELECT 2, NEW.kind, NEW.id,
      CASE WHEN NEW.active = 0 THEN 0 WHEN NEW.taken_scopes = '' AND NEW.taken_roles = '' THEN 1 ELSE 2 END, NEW.version
    WHERE NEW.active <> OLD.active OR NEW.scopes <> OLD.scopes OR NEW.roles <> OLD.roles
      OR NEW.taken_scopes <> OLD.taken_scopes OR NEW.taken_roles <> OLD.taken_roles;
  INSERT INTO tower_auth_changes (what, id)
    SELECT 3, name FROM tower_auth_user_names WHERE kind = NEW.kind AND id = NEW.id;
END;
CREATE TRIGGER tower_auth_user_deleted AFTER DELETE ON tower_auth_users
BEGIN
  INSERT INTO tower_auth_deleted_users (kind, id, version) VALUES (OLD.kind, OLD.id, OLD.version + 1)
    ON CONFLICT (kind, id) DO UPDATE SET version = max(version, excluded.version);
  INSERT INTO tower_auth_changes (what, kind, id, number, version)
    VALUES (2, OLD.kind, OLD.id, 0, OLD.version + 1);
END;
-- Versions go on from where they were, because of two changes the later one counts.
CREATE TRIGGER tower_auth_user_is_back AFTER INSERT ON tower_auth_users
  WHEN EXISTS (SELECT 1 FROM tower_auth_deleted_users d WHERE d.kind = NEW.kind AND d.id = NEW.id)
BEGIN
  UPDATE tower_auth_users SET version = max(version, (SELECT d.version + 1 FROM tower_auth_deleted_users d
    WHERE d.kind = NEW.kind AND d.id = NEW.id)) WHERE kind = NEW.kind AND id = NEW.id;
  DELETE FROM tower_auth_deleted_users WHERE kind = NEW.kind AND id = NEW.id;
  INSERT INTO tower_auth_changes (what, kind, id, number, version)
    SELECT 2, kind, id, active, version FROM tower_auth_users WHERE kind = NEW.kind AND id = NEW.id;
END;
CREATE TRIGGER tower_auth_name_changed AFTER UPDATE ON tower_auth_user_names
BEGIN
  INSERT INTO tower_auth_changes (what, id) VALUES (3, OLD.name), (3, NEW.name);
END;
CREATE TRIGGER tower_auth_name_removed AFTER DELETE ON tower_auth_user_names
BEGIN
  INSERT INTO tower_auth_changes (what, id) VALUES (3, OLD.name);
END;

CREATE TRIGGER tower_auth_revoked_added AFTER INSERT ON tower_auth_revoked
BEGIN
  INSERT INTO tower_auth_changes (what, id, number) VALUES (NEW.kind, NEW.id, NEW.until);
END;
CREATE TRIGGER tower_auth_revoked_extended AFTER UPDATE ON tower_auth_revoked WHEN NEW.until <> OLD.until
BEGIN
  INSERT INTO tower_auth_changes (what, id, number) VALUES (NEW.kind, NEW.id, NEW.until);
END;
