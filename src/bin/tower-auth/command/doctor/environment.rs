use super::check::Check;
use tower_auth::ConfigProblem;
use tower_auth::server::Environment;

/// What can be told of the environment without asking anybody: variables, secrets, peppers.
pub(super) fn checks(environment: &Environment) -> Vec<Check> {
    let weak = environment.weak_secrets();
    vec![
        Check::ok("environment", "All variables can be read"),
        jwt_secret(environment, &weak),
        pepper(environment, &weak),
    ]
}

fn jwt_secret(environment: &Environment, weak: &[ConfigProblem]) -> Check {
    match weak_one(weak, "JWT_SECRET") {
        Some(problem) => Check::fault("jwt_secret", problem),
        None if environment.has_jwt_secret() => Check::ok(
            "jwt_secret",
            "JWT_SECRET is long, and not known to be published",
        ),
        None => Check::warning(
            "jwt_secret",
            "JWT_SECRET is not set: a service that signs with it has another one after each start, \
             and everybody has to sign in anew. `tower-auth secret new` makes one",
        ),
    }
}

fn pepper(environment: &Environment, weak: &[ConfigProblem]) -> Check {
    match weak_one(weak, "API_KEY_PEPPER") {
        Some(problem) => Check::fault("pepper", problem),
        None if environment.pepper_ids().is_empty() => Check::ok(
            "pepper",
            "API_KEY_PEPPER is not set: API keys are stored as SHA-256, which is safe for what is \
             random",
        ),
        None => Check::ok(
            "pepper",
            "The peppers are long, and not known to be published",
        ),
    }
}

/// What is wrong with the variables whose names begin so.
fn weak_one(weak: &[ConfigProblem], beginning: &str) -> Option<String> {
    let mut told = Vec::new();
    for problem in weak {
        if let ConfigProblem::Environment { variable, .. } = problem
            && variable.starts_with(beginning)
        {
            told.push(problem.to_string());
        }
    }
    if told.is_empty() {
        return None;
    }
    Some(told.join("; "))
}
