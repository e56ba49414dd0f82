use crate::secret::Secret;
use crate::users::NewUser;

/// The users that demos begin with: `user@example.com` (also `user`), `other@example.com` (also
/// `other`), and `admin@example.com` (also `hubadmin`) with the role `admin`. Their password is no
/// secret: the environment's `DEMO_PASSWORD`, or `correct-horse-battery`.
pub fn demo_users() -> [NewUser; 3] {
    let password =
        std::env::var("DEMO_PASSWORD").unwrap_or_else(|_| String::from("correct-horse-battery"));
    [
        user("user@example.com", &password).name("user"),
        user("other@example.com", &password).name("other"),
        user("admin@example.com", &password)
            .name("hubadmin")
            .role("admin"),
    ]
}

fn user(email: &str, password: &str) -> NewUser {
    NewUser::new(email, Secret::new(password.to_owned()))
}
