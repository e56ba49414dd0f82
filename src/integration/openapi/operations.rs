#[cfg(feature = "endpoints")]
use std::collections::BTreeSet;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr, Schema};

/// All operations of a document.
pub(super) fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(of_item)
}

fn of_item(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let methods = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.patch,
        &mut item.trace,
    ];
    methods.into_iter().filter_map(Option::as_mut)
}

/// The ids that are taken: none stands twice in a document.
#[cfg(feature = "endpoints")]
pub(crate) fn operation_ids(document: &mut OpenApi) -> BTreeSet<String> {
    let ids = operations(document).filter_map(|operation| operation.operation_id.clone());
    ids.collect()
}

/// Puts a schema among the components, once, and under another name where its own is taken by
/// another schema.
pub(crate) fn place(components: &mut Components, name: &str, schema: RefOr<Schema>) -> Ref {
    let mut free = name.to_owned();
    let mut number = 2;
    while let Some(known) = components.schemas.get(&free) {
        if *known == schema {
            return Ref::from_schema_name(free);
        }
        // Two layers may have two error formats, each with its own `Error`.
        free = format!("{name}{number}");
        number += 1;
    }
    components.schemas.insert(free.clone(), schema);
    Ref::from_schema_name(free)
}
