use crate::secret::Secret;
use crate::users::NewUser;

/// The users that demos begin with: `user@example.com` (also `user`), `other@example.com` (also
/// `other`), and `admin@example.com` (also `hubadmin`) with the role `admin`. Their password is no
/// secret: the environment's `DEMO_PASSWORD`, or `correct-horse-battery`.
pub fn demo_users() -> [NewUser; 3] {
    let password =
        std::env::var("DEMO_PASSWORD").unwrap_or_else(|_| String::from("correct-horse-battery"));
    let user =
        |email: &str, name: &str| NewUser::new(email, Secret::new(password.clone())).name(name);
    [
        user("user@example.com", "user"),
        user("other@example.com", "other"),
        user("admin@example.com", "hubadmin").role("admin"),
    ]
}
