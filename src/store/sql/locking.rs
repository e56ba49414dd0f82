//! Statements that lock many rows, and the one order of all locks.
//!
//! ```text
//! sessions of a subject → user → names, deleted ids → families → an id → denials of families
//! → private tokens → denials of tokens → keys
//! ```
//!
//! A transaction that locks records of several kinds does so in this order, and those of one kind
//! in the order of their ids. So no two wait for each other, except where people swap names.
//! What is only noted or removed for good does not wait at all: it passes over what somebody else
//! has locked, and comes back to it the next time.

#[derive(Debug)]
pub(in crate::store) struct Locking {
    /// Ends the families of kind `$1` and id `$2` that have not ended yet, at `$3`.
    pub(in crate::store) end_families: &'static str,
    /// Ends the private tokens of kind `$1` and id `$2` that were not revoked yet, at `$3`.
    pub(in crate::store) end_tokens: &'static str,
    /// Each removes at most `$2` keys that ended before `$1`, and returns their digests.
    pub(in crate::store) ended_keys: [&'static str; 2],
    /// Each removes at most `$2` families or denials that ended before `$1`.
    pub(in crate::store) ended_tokens: [&'static str; 3],
    /// Removes at most `$2` private tokens that expired before `$1`.
    pub(in crate::store) ended_private_tokens: &'static str,
}

/// The statements, given what follows a `SELECT` that waits for the rows it locks, and what follows
/// one that passes over locked rows.
macro_rules! locking {
    ($wait:literal, $pass_over:literal) => {
        $crate::store::sql::locking::Locking {
            end_families: concat!(
                "WITH live AS MATERIALIZED (SELECT id FROM tower_auth_families \
                 WHERE subject_kind = $1 AND subject_id = $2 AND revoked IS NULL ORDER BY id",
                $wait,
                ") UPDATE tower_auth_families SET revoked = $3 WHERE id IN (SELECT id FROM live)"
            ),
            end_tokens: concat!(
                "WITH live AS MATERIALIZED (SELECT id FROM tower_auth_private_tokens \
                 WHERE owner_kind = $1 AND owner_id = $2 AND revoked IS NULL ORDER BY id",
                $wait,
                ") UPDATE tower_auth_private_tokens SET revoked = $3 \
                 WHERE id IN (SELECT id FROM live)"
            ),
            ended_keys: [
                concat!(
                    "WITH ended AS MATERIALIZED (SELECT id FROM tower_auth_keys \
                     WHERE revoked < $1 LIMIT $2",
                    $pass_over,
                    ") DELETE FROM tower_auth_keys WHERE id IN (SELECT id FROM ended) \
                     RETURNING digest"
                ),
                concat!(
                    "WITH ended AS MATERIALIZED (SELECT id FROM tower_auth_keys \
                     WHERE expires < $1 LIMIT $2",
                    $pass_over,
                    ") DELETE FROM tower_auth_keys WHERE id IN (SELECT id FROM ended) \
                     RETURNING digest"
                ),
            ],
            ended_tokens: [
                concat!(
                    "WITH ended AS MATERIALIZED (SELECT id FROM tower_auth_families \
                     WHERE ends < $1 LIMIT $2",
                    $pass_over,
                    ") DELETE FROM tower_auth_families WHERE id IN (SELECT id FROM ended) \
                     RETURNING 1"
                ),
                concat!(
                    "WITH ended AS MATERIALIZED (SELECT id FROM tower_auth_revoked \
                     WHERE kind = 0 AND until < $1 LIMIT $2",
                    $pass_over,
                    ") DELETE FROM tower_auth_revoked WHERE kind = 0 \
                     AND id IN (SELECT id FROM ended) RETURNING 1"
                ),
                concat!(
                    "WITH ended AS MATERIALIZED (SELECT id FROM tower_auth_revoked \
                     WHERE kind = 1 AND until < $1 LIMIT $2",
                    $pass_over,
                    ") DELETE FROM tower_auth_revoked WHERE kind = 1 \
                     AND id IN (SELECT id FROM ended) RETURNING 1"
                ),
            ],
            ended_private_tokens: concat!(
                "WITH ended AS MATERIALIZED (SELECT id FROM tower_auth_private_tokens \
                 WHERE expires < $1 LIMIT $2",
                $pass_over,
                ") DELETE FROM tower_auth_private_tokens WHERE id IN (SELECT id FROM ended) \
                 RETURNING 1"
            ),
        }
    };
}
pub(in crate::store) use locking;
