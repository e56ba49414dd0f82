use serde_json::{Map, Value};
use std::collections::BTreeSet;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// Names of fields that no body has. Where a sample has a member of such a name, the object has one
/// for each field that is wrong, whatever it is called.
pub(super) const SAMPLE_FIELDS: [&str; 2] = ["any field of the body", "another field of the body"];

/// The schema that fits all of these values: what one of them has may be there, what all of them
/// have is required.
pub(crate) fn schema_of(samples: &[&Value]) -> RefOr<Schema> {
    let objects: Vec<&Map<String, Value>> =
        samples.iter().filter_map(|one| one.as_object()).collect();
    let lists: Vec<&Vec<Value>> = samples.iter().filter_map(|one| one.as_array()).collect();
    let types = types_of(samples);
    if !objects.is_empty() && objects.len() == lists.len() {
        return ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .into();
    }
    if !objects.is_empty() {
        return object_of(&objects).schema_type(types).into();
    }
    if !lists.is_empty() {
        let items: Vec<&Value> = lists.into_iter().flatten().collect();
        return ArrayBuilder::new()
            .items(schema_of(&items))
            .schema_type(types)
            .into();
    }
    ObjectBuilder::new().schema_type(types).into()
}

fn object_of(objects: &[&Map<String, Value>]) -> ObjectBuilder {
    let names: BTreeSet<&String> = objects.iter().flat_map(|object| object.keys()).collect();
    let mut of_fields: Vec<&Value> = Vec::new();
    let mut schema = ObjectBuilder::new();
    for name in names {
        let values: Vec<&Value> = objects
            .iter()
            .filter_map(|object| object.get(name))
            .collect();
        // Members that are named after a field of the body have any name in a real answer, so they
        // become the schema of all other members.
        if SAMPLE_FIELDS.contains(&name.as_str()) {
            of_fields.extend(values);
            continue;
        }
        if values.len() == objects.len() {
            // A member may be left out if one sample lacks it.
            schema = schema.required(name);
        }
        schema = schema.property(name, schema_of(&values));
    }
    if of_fields.is_empty() {
        schema
    } else {
        schema.additional_properties(Some(schema_of(&of_fields)))
    }
}

/// Each type once. Nothing is known of what no sample has.
fn types_of(samples: &[&Value]) -> SchemaType {
    let mut types: Vec<Type> = Vec::new();
    for sample in samples {
        let is = match sample {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Boolean,
            Value::Number(number) if number.is_f64() => Type::Number,
            Value::Number(_) => Type::Integer,
            Value::String(_) => Type::String,
            Value::Array(_) => Type::Array,
            Value::Object(_) => Type::Object,
        };
        if !types.contains(&is) {
            types.push(is);
        }
    }
    match types.as_slice() {
        [] => SchemaType::AnyValue,
        // A member that is null in every sample has another type in other answers, which is not
        // known here.
        [Type::Null] => SchemaType::AnyValue,
        [only] => only.clone().into(),
        _ => types.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(samples: &[Value]) -> Value {
        let samples: Vec<&Value> = samples.iter().collect();
        serde_json::to_value(schema_of(&samples)).unwrap()
    }

    #[test]
    fn what_all_samples_have_is_required_and_what_one_has_may_be_there() {
        let both = [
            json!({ "code": "a", "wait": 7, "at": null }),
            json!({ "code": "b", "list": ["x"], "at": "now" }),
        ];
        let expected = json!({
            "type": "object",
            "required": ["at", "code"],
            "properties": {
                "at": { "type": ["null", "string"] },
                "code": { "type": "string" },
                "list": { "type": "array", "items": { "type": "string" } },
                "wait": { "type": "integer" },
            },
        });
        assert_eq!(schema(&both), expected);
        assert_eq!(schema(&[]), json!({}));
        assert_eq!(schema(&[json!(null)]), json!({}));
        assert_eq!(
            schema(&[json!([])]),
            json!({ "type": "array", "items": {} })
        );
    }

    #[test]
    fn a_member_for_each_field_is_one_of_any_name() {
        let [one, other] = SAMPLE_FIELDS;
        let told = [json!({ one: ["a"], other: ["b"] })];
        let texts = json!({ "type": "array", "items": { "type": "string" } });
        let expected = json!({ "type": "object", "additionalProperties": texts });
        assert_eq!(schema(&told), expected);
    }
}
