//! Methods, preflights and gRPC.

use super::Table;
use crate::headers::case::{Case, Expect, Why, auth, field, no, no_bearer, x_key};
use crate::headers::world::{Setup, World};
use Expect::{Caller, Grpc};
use Why::{Key, Malformed, Missing, Several, Token};

const ANNA: Expect = Caller("Jwt anna");
const ANONYMOUS: Expect = Caller("anonymous");

pub(super) fn add(table: &mut Table, world: &World) {
    methods(table, world);
    preflights(table, world);
    grpc(table, world);
}

fn methods(t: &mut Table, w: &World) {
    let good = || auth(format!("Bearer {}", w.token));
    t.group("HEAD has no body", Setup::Usual);
    t.case("nothing", Vec::new(), no(Missing)).method("HEAD");
    t.case("bad token", auth("Bearer x.y.z"), no_bearer(Token))
        .method("HEAD");
    t.case("bad key", x_key("egret_x"), no(Key)).method("HEAD");
    t.case(
        "two credentials",
        [good(), x_key(&w.key)].concat(),
        no_bearer(Several),
    )
    .method("HEAD");
    t.case("good token", good(), ANNA).method("HEAD");

    t.group("every method is guarded", Setup::Usual);
    t.case("POST", Vec::new(), no(Missing)).method("POST");
    t.case("PUT", Vec::new(), no(Missing)).method("PUT");
    t.case("PATCH", Vec::new(), no(Missing)).method("PATCH");
    t.case("DELETE", Vec::new(), no(Missing)).method("DELETE");
    t.case("OPTIONS", Vec::new(), no(Missing)).method("OPTIONS");
    t.case("TRACE", Vec::new(), no(Missing)).method("TRACE");
    t.case("a method of no one's", Vec::new(), no(Missing))
        .method("BREW");
    t.case("get in lower case", Vec::new(), no(Missing))
        .method("get");
    t.case(
        "method override to OPTIONS",
        field("X-HTTP-Method-Override", "OPTIONS"),
        no(Missing),
    )
    .method("POST");
    t.case(
        "method override with a bad token",
        [field("X-HTTP-Method", "HEAD"), auth("Bearer a.b.c")].concat(),
        no_bearer(Token),
    );
    t.case("DELETE with a good token", good(), ANNA)
        .method("DELETE");
}

fn preflights(t: &mut Table, w: &World) {
    let good = || auth(format!("Bearer {}", w.token));
    let asks = || {
        [
            field("Origin", "https://app.example"),
            field("Access-Control-Request-Method", "PUT"),
        ]
        .concat()
    };
    t.group("preflight that nobody opted in to", Setup::Usual);
    t.case("without a credential", asks(), no(Missing))
        .method("OPTIONS");
    t.case(
        "with a bad token",
        [asks(), auth("Bearer x.y.z")].concat(),
        no_bearer(Token),
    )
    .method("OPTIONS");
    t.case("with a good token", [asks(), good()].concat(), ANNA)
        .method("OPTIONS");

    t.group("preflight that is let through", Setup::Preflight);
    t.case("without a credential", asks(), ANONYMOUS)
        .method("OPTIONS");
    t.case("carries no principal", [asks(), good()].concat(), ANONYMOUS)
        .method("OPTIONS");
    t.case(
        "OPTIONS without the field",
        field("Origin", "https://app.example"),
        no(Missing),
    )
    .method("OPTIONS");
    t.case(
        "OPTIONS with request headers alone",
        field("Access-Control-Request-Headers", "x"),
        no(Missing),
    )
    .method("OPTIONS");
    t.case("GET with the field", asks(), no(Missing));
    t.case("POST with the field", asks(), no(Missing))
        .method("POST");
    t.case("options in lower case", asks(), no(Missing))
        .method("options");
    t.case(
        "method override",
        [asks(), field("X-HTTP-Method-Override", "OPTIONS")].concat(),
        no(Missing),
    )
    .method("POST");
    t.case(
        "the field with underscores",
        field("Access_Control_Request_Method", "PUT"),
        no(Missing),
    )
    .method("OPTIONS");
    t.case(
        "GET with the field and a bad token",
        [asks(), auth("Bearer a.b.c")].concat(),
        no_bearer(Token),
    );
    t.case("OPTIONS with a good token", good(), ANNA)
        .method("OPTIONS");
}

fn grpc(t: &mut Table, w: &World) {
    const GRPC: &str = "application/grpc";
    let good = || auth(format!("Bearer {}", w.token));
    let asks = |content_type: &str| field("Content-Type", content_type);
    fn post(case: &mut Case) {
        case.method("POST");
    }
    t.group("gRPC is refused by a status of its own", Setup::Usual);
    post(t.case("without a credential", asks(GRPC), Grpc(Missing, GRPC)));
    post(t.case(
        "bad token",
        [asks(GRPC), auth("Bearer x.y.z")].concat(),
        Grpc(Token, GRPC),
    ));
    post(t.case(
        "bad key",
        [asks(GRPC), x_key("egret_x")].concat(),
        Grpc(Key, GRPC),
    ));
    post(t.case(
        "malformed",
        [asks(GRPC), auth("Bearer \"x\"")].concat(),
        Grpc(Malformed, GRPC),
    ));
    post(t.case(
        "two credentials",
        [asks(GRPC), good(), x_key(&w.key)].concat(),
        Grpc(Several, GRPC),
    ));
    post(t.case(
        "with a codec",
        asks("application/grpc+proto"),
        Grpc(Missing, GRPC),
    ));
    post(t.case(
        "with a parameter",
        asks("application/grpc; charset=utf-8"),
        Grpc(Missing, GRPC),
    ));
    post(t.case("upper case", asks("APPLICATION/GRPC"), Grpc(Missing, GRPC)));
    post(t.case(
        "for the web",
        asks("application/grpc-web"),
        Grpc(Missing, "application/grpc-web"),
    ));
    post(t.case(
        "for the web with a codec",
        asks("application/grpc-web+proto"),
        Grpc(Missing, "application/grpc-web"),
    ));
    post(t.case(
        "for the web as text",
        asks("application/grpc-web-text"),
        Grpc(Missing, "application/grpc-web-text"),
    ));
    post(t.case("good token", [asks(GRPC), good()].concat(), ANNA));
    t.on(Setup::All);
    post(t.case(
        "malformed Basic",
        [asks(GRPC), auth("Basic a")].concat(),
        Grpc(Malformed, GRPC),
    ));

    t.group("types that only look like gRPC", Setup::Usual);
    post(t.case("a longer word", asks("application/grpcx"), no(Missing)));
    post(t.case(
        "a longer word for the web",
        asks("application/grpc-webx"),
        no(Missing),
    ));
    post(t.case("text", asks("text/grpc"), no(Missing)));
    post(t.case(
        "after another type",
        asks("application/json, application/grpc"),
        no(Missing),
    ));
    post(t.case("half of it", asks("application/grp"), no(Missing)));
    post(t.case("in Accept", field("Accept", GRPC), no(Missing)));
    post(t.case(
        "bytes outside of ASCII",
        asks("application/grpc\u{ff}"),
        no(Missing),
    ));
}
