-- Keys that tokens are signed with, each sealed. A few rows an issuer.
CREATE TABLE tower_auth_signing_keys (
  issuer TEXT NOT NULL,
  serial INTEGER NOT NULL,
  id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  sealed BLOB NOT NULL,
  created INTEGER NOT NULL,
  signs_from INTEGER NOT NULL,
  signs_until INTEGER NOT NULL,
  forgotten_at INTEGER NOT NULL,
  PRIMARY KEY (issuer, serial),
  UNIQUE (issuer, id)
) STRICT;
