-- Keys that tokens are signed with, each sealed. A few rows an issuer.
CREATE TABLE tower_auth_signing_keys (
  issuer text COLLATE "C" NOT NULL,
  serial bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  algorithm text NOT NULL,
  sealed bytea NOT NULL,
  created bigint NOT NULL,
  signs_from bigint NOT NULL,
  signs_until bigint NOT NULL,
  forgotten_at bigint NOT NULL,
  PRIMARY KEY (issuer, serial),
  UNIQUE (issuer, id)
);
