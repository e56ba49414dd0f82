-- Times are microseconds since 1970-01-01T00:00:00Z. Roles and names are JSON arrays of texts, scopes stand between spaces.
-- Texts that are found by or ordered are compared by bytes, whatever the database's collation.

CREATE TABLE tower_auth_keys (
  id text COLLATE "C" PRIMARY KEY,
  owner_kind text COLLATE "C" NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  hint text NOT NULL,
  algorithm text NOT NULL,
  digest bytea NOT NULL UNIQUE,
  scopes text NOT NULL,
  roles text NOT NULL,
  metadata text,
  rate text,
  created bigint NOT NULL,
  expires bigint,
  revoked bigint,
  used bigint,
  lineage text NOT NULL,
  successor text
);
CREATE INDEX tower_auth_keys_owner ON tower_auth_keys (owner_kind, owner_id, created, id);
CREATE INDEX tower_auth_keys_expires ON tower_auth_keys (expires) WHERE expires IS NOT NULL;
CREATE INDEX tower_auth_keys_revoked ON tower_auth_keys (revoked) WHERE revoked IS NOT NULL;

CREATE TABLE tower_auth_numbers (name text PRIMARY KEY, value bigint NOT NULL);

CREATE TABLE tower_auth_users (
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  names text NOT NULL,
  password text,
  active bigint NOT NULL,
  scopes text NOT NULL,
  roles text NOT NULL,
  rate text,
  profile text,
  created bigint NOT NULL,
  removed bigint NOT NULL,
  taken_scopes text NOT NULL DEFAULT '',
  taken_roles text NOT NULL DEFAULT '',
  version bigint NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX tower_auth_users_not_whole ON tower_auth_users (kind, id)
  WHERE active = 0 OR taken_scopes <> '' OR taken_roles <> '';

CREATE TABLE tower_auth_user_names (
  name text COLLATE "C" PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  FOREIGN KEY (kind, id) REFERENCES tower_auth_users (kind, id) ON DELETE CASCADE
);
CREATE INDEX tower_auth_user_names_user ON tower_auth_user_names (kind, id);

-- Users whose row somebody deleted by hand. They count as removed, so that their keys and tokens stay refused and nobody else gets
-- their id. A row that is inserted by hand again lifts it.
CREATE TABLE tower_auth_deleted_users (
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (kind, id)
);

CREATE TABLE tower_auth_families (
  id text COLLATE "C" PRIMARY KEY,
  subject_kind text COLLATE "C" NOT NULL,
  subject_id text COLLATE "C" NOT NULL,
  grants text NOT NULL,
  created bigint NOT NULL,
  ends bigint NOT NULL,
  current text NOT NULL,
  expires bigint NOT NULL,
  previous text,
  rotated bigint,
  revoked bigint
);
CREATE INDEX tower_auth_families_subject ON tower_auth_families (subject_kind, subject_id, created, id);
CREATE INDEX tower_auth_families_ends ON tower_auth_families (ends);

CREATE TABLE tower_auth_private_tokens (
  id text COLLATE "C" PRIMARY KEY,
  owner_kind text COLLATE "C" NOT NULL,
  owner_id text COLLATE "C" NOT NULL,
  name text NOT NULL,
  created bigint NOT NULL,
  expires bigint NOT NULL,
  revoked bigint,
  used bigint
);
CREATE INDEX tower_auth_private_tokens_owner ON tower_auth_private_tokens (owner_kind, owner_id, created, id);
CREATE INDEX tower_auth_private_tokens_expires ON tower_auth_private_tokens (expires);

-- Kind 0 is a token, 1 a family.
CREATE TABLE tower_auth_revoked (
  kind bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE INDEX tower_auth_revoked_until ON tower_auth_revoked (kind, until);

-- What the memory of other nodes must hear of. What: 0 a token and 1 a family was revoked, 2 what became of a user (number 0
-- disabled or removed, 1 neither, 2 rights were taken, which the user's row has), 3 a name, 4 a key. Numbers do not come in the order of commits, so readers ask for the transactions that their
-- last snapshot did not see.
CREATE TABLE tower_auth_changes (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
  what bigint NOT NULL,
  kind text,
  id text,
  digest bytea,
  number bigint,
  version bigint
);
CREATE INDEX tower_auth_changes_xid ON tower_auth_changes (xid);
CREATE INDEX tower_auth_changes_at ON tower_auth_changes (at);

-- Each function looks into this schema alone, whatever the search path of whoever changes a row.

CREATE FUNCTION tower_auth_notify() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_notify('tower_auth', '');
  RETURN NULL;
END $$;
CREATE TRIGGER tower_auth_notify AFTER INSERT ON tower_auth_changes
  FOR EACH STATEMENT EXECUTE FUNCTION tower_auth_notify();

CREATE FUNCTION tower_auth_key_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO tower_auth_changes (what, digest) VALUES (4, OLD.digest);
  IF TG_OP = 'UPDATE' AND NEW.digest <> OLD.digest THEN
    INSERT INTO tower_auth_changes (what, digest) VALUES (4, NEW.digest);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tower_auth_key_changed AFTER DELETE OR UPDATE OF id, owner_kind, owner_id, name, hint, algorithm, digest,
  scopes, roles, metadata, rate, created, expires, revoked, lineage, successor ON tower_auth_keys
  FOR EACH ROW EXECUTE FUNCTION tower_auth_key_changed();

CREATE FUNCTION tower_auth_user_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO tower_auth_deleted_users AS d (kind, id, version) VALUES (OLD.kind, OLD.id, OLD.version + 1)
      ON CONFLICT (kind, id) DO UPDATE SET version = greatest(d.version, excluded.version);
    INSERT INTO tower_auth_changes (what, kind, id, number, version)
      VALUES (2, OLD.kind, OLD.id, 0, OLD.version + 1);
    RETURN NULL;
  END IF;
  IF TG_OP = 'INSERT' OR (NEW.active, NEW.scopes, NEW.roles, NEW.taken_scopes, NEW.taken_roles)
    <> (OLD.active, OLD.scopes, OLD.roles, OLD.taken_scopes, OLD.taken_roles) THEN
    INSERT INTO tower_auth_changes (what, kind, id, number, version) VALUES (2, NEW.kind, NEW.id,
      CASE WHEN NEW.active = 0 THEN 0 WHEN NEW.taken_scopes = '' AND NEW.taken_roles = '' THEN 1 ELSE 2 END, NEW.version);
  END IF;
  INSERT INTO tower_auth_changes (what, id)
    SELECT 3, name FROM tower_auth_user_names WHERE kind = NEW.kind AND id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER tower_auth_user_changed AFTER UPDATE OR DELETE ON tower_auth_users
  FOR EACH ROW EXECUTE FUNCTION tower_auth_user_changed();
CREATE TRIGGER tower_auth_user_added AFTER INSERT ON tower_auth_users
  FOR EACH ROW WHEN (NEW.active = 0 OR NEW.taken_scopes <> '' OR NEW.taken_roles <> '')
  EXECUTE FUNCTION tower_auth_user_changed();

-- Whoever takes rights by hand does not count the version up: what they take is noted here.
CREATE FUNCTION tower_auth_rights_taken() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  NEW.taken_scopes := btrim(NEW.taken_scopes || ' ' || OLD.scopes);
  IF OLD.roles <> '[]' THEN
    NEW.taken_roles := NEW.taken_roles || chr(10) || OLD.roles;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tower_auth_rights_taken BEFORE UPDATE OF scopes, roles ON tower_auth_users
  FOR EACH ROW WHEN (NEW.version = OLD.version AND (NEW.scopes <> OLD.scopes OR NEW.roles <> OLD.roles))
  EXECUTE FUNCTION tower_auth_rights_taken();

-- Versions go on from where they were, because of two changes the later one counts.
CREATE FUNCTION tower_auth_user_is_back() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  deleted bigint;
BEGIN
  DELETE FROM tower_auth_deleted_users WHERE kind = NEW.kind AND id = NEW.id RETURNING version INTO deleted;
  IF deleted IS NOT NULL THEN
    NEW.version := greatest(NEW.version, deleted + 1);
    INSERT INTO tower_auth_changes (what, kind, id, number, version)
      VALUES (2, NEW.kind, NEW.id, NEW.active, NEW.version);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER tower_auth_user_is_back BEFORE INSERT ON tower_auth_users
  FOR EACH ROW EXECUTE FUNCTION tower_auth_user_is_back();

CREATE FUNCTION tower_auth_users_truncated() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO tower_auth_deleted_users AS d (kind, id, version) SELECT kind, id, version + 1 FROM tower_auth_users
    ON CONFLICT (kind, id) DO UPDATE SET version = greatest(d.version, excluded.version);
  RETURN NULL;
END $$;
CREATE TRIGGER tower_auth_users_truncated BEFORE TRUNCATE ON tower_auth_users
  FOR EACH STATEMENT EXECUTE FUNCTION tower_auth_users_truncated();

CREATE FUNCTION tower_auth_name_changed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO tower_auth_changes (what, id) VALUES (3, OLD.name);
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO tower_auth_changes (what, id) VALUES (3, NEW.name);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tower_auth_name_changed AFTER UPDATE OR DELETE ON tower_auth_user_names
  FOR EACH ROW EXECUTE FUNCTION tower_auth_name_changed();

CREATE FUNCTION tower_auth_revoked() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP = 'INSERT' OR NEW.until <> OLD.until THEN
    INSERT INTO tower_auth_changes (what, id, number) VALUES (NEW.kind, NEW.id, NEW.until);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tower_auth_revoked AFTER INSERT OR UPDATE ON tower_auth_revoked
  FOR EACH ROW EXECUTE FUNCTION tower_auth_revoked();
