//! Reads a crate's files as text: which modules there are, what each defines, and which file uses
//! what of which other.

use super::tokens::{after_group, after_item, after_semicolon, tokens, without_tests};
use std::collections::{BTreeMap, BTreeSet};

/// By its path below `src`: a file's text.
pub(super) type Files = BTreeMap<String, String>;
/// From one file to another: the names.
pub(super) type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

/// Modules by their path, `crate::store::sql`. `#[cfg(test)]` is left out.
#[derive(Default)]
pub(super) struct Source<'t>(BTreeMap<String, Module<'t>>);

#[derive(Default)]
pub(super) struct Module<'t> {
    pub(super) file: String,
    /// Of the module itself, not of those inside of it.
    pub(super) tokens: Vec<&'t str>,
    /// With their keyword: `("struct", "Rate")`.
    pub(super) items: Vec<(&'t str, &'t str)>,
    children: BTreeSet<&'t str>,
    imports: Vec<Import<'t>>,
}

struct Import<'t> {
    path: Vec<&'t str>,
    /// `None` is a glob.
    name: Option<&'t str>,
}

enum Meaning<'s> {
    Item { module: &'s str, name: &'s str },
    Module,
}

const ITEMS: [&str; 8] = [
    "struct", "enum", "union", "trait", "type", "const", "static", "fn",
];

impl<'t> Source<'t> {
    /// Of a library, or of a program.
    pub(super) fn read(files: &'t Files) -> Self {
        let roots = ["lib.rs", "main.rs"];
        let root = roots.into_iter().find(|root| files.contains_key(*root));
        let mut source = Self::default();
        source.read_file(files, "crate", root.expect("a crate has a root"));
        source
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = &Module<'t>> {
        self.0.values()
    }

    fn read_file(&mut self, files: &'t Files, path: &str, file: &str) {
        let text = &files[file];
        self.read_module(files, path, file, &without_tests(&tokens(text)));
    }

    fn read_module(&mut self, files: &'t Files, path: &str, file: &str, tokens: &[&'t str]) {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        let mut at = 0;
        while at < tokens.len() {
            let next = tokens.get(at + 1).copied().unwrap_or_default();
            let end = match tokens[at] {
                "#" => after_group(tokens, at),
                "pub" if next == "(" => after_group(tokens, at),
                "pub" | "async" | "unsafe" => at + 1,
                "const" if ["fn", "async", "unsafe"].contains(&next) => at + 1,
                "mod" => {
                    module.children.insert(next);
                    let child = format!("{path}::{next}");
                    let end = after_item(tokens, at);
                    if tokens[at + 2] == ";" {
                        let stem = child.replace("::", "/").replacen("crate/", "", 1);
                        let file = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
                        let file = file.iter().find(|file| files.contains_key(*file));
                        self.read_file(files, &child, file.expect("a module has a file"));
                    } else {
                        self.read_module(files, &child, file, &tokens[at + 3..end - 1]);
                    }
                    at = end;
                    continue;
                }
                "use" | "const" | "static" | "type" => after_semicolon(tokens, at),
                _ => after_item(tokens, at),
            };
            match tokens[at] {
                "macro_rules" => module.items.push(("macro_rules", tokens[at + 2])),
                keyword if ITEMS.contains(&keyword) && end > at + 1 => {
                    module.items.push((keyword, next));
                }
                // As in `pin_project! { pub struct … }`.
                _ if next == "!" => {
                    let types = tokens[at..end]
                        .windows(2)
                        .filter(|two| two[0] == "struct" || two[0] == "enum");
                    module.items.extend(types.map(|two| (two[0], two[1])));
                }
                _ => {}
            }
            module.tokens.extend(&tokens[at..end]);
            at = end;
        }
        for statement in uses(&module.tokens) {
            read_imports(statement, &[], &mut module.imports);
        }
        self.0.insert(path.to_owned(), module);
    }

    /// What each file uses of others, and which paths in this crate lead nowhere.
    ///
    /// To re-export a name of a module inside is not to use it, unless the file uses it as well.
    pub(super) fn arrows(&self) -> (Arrows, Vec<String>) {
        let mut arrows = Arrows::new();
        let mut unknown = Vec::new();
        for (here, module) in &self.0 {
            let own: BTreeSet<&str> = outside_of_uses(&module.tokens).collect();
            let mut paths = inline_paths(&module.tokens);
            for Import { path, name } in &module.imports {
                match name {
                    Some(name) if own.contains(name) => paths.push(path.clone()),
                    Some(_) => paths.extend(self.passed_on(here, path).then(|| path.clone())),
                    None => paths.extend(own.iter().map(|name| [&path[..], &[*name]].concat())),
                }
            }
            for path in paths {
                let glob = module
                    .imports
                    .iter()
                    .any(|i| i.name.is_none() && path.starts_with(&i.path));
                match self.meaning(here, &path, 0) {
                    Some(Meaning::Item {
                        module: there,
                        name,
                    }) => {
                        let there = &self.0[there].file;
                        if *there != module.file {
                            let arrow = (module.file.clone(), there.clone());
                            arrows.entry(arrow).or_default().insert(name.to_owned());
                        }
                    }
                    None if ["crate", "super", "self"].contains(&path[0]) && !glob => {
                        unknown.push(format!("{}: {}", module.file, path.join("::")));
                    }
                    _ => {}
                }
            }
        }
        (arrows, unknown)
    }

    /// Whether an import that the file does not use itself is an arrow all the same: it leads out.
    fn passed_on(&self, here: &str, path: &[&str]) -> bool {
        match self.meaning(here, path, 0) {
            Some(Meaning::Item { module, .. }) => !module.starts_with(&format!("{here}::")),
            Some(Meaning::Module) => false,
            None => true,
        }
    }

    /// What a path means, through all re-exports; `None` is another crate's name, or a local one.
    fn meaning<'s>(&'s self, here: &'s str, path: &[&'s str], depth: u32) -> Option<Meaning<'s>> {
        let parent = |of: &'s str| of.rsplit_once("::").map(|(parent, _)| parent);
        let [first, rest @ ..] = path else {
            return Some(Meaning::Module);
        };
        match *first {
            "crate" => self.meaning("crate", rest, depth),
            "self" => self.meaning(here, rest, depth),
            "super" => self.meaning(parent(here)?, rest, depth),
            name => self.member(here, name, rest, depth),
        }
    }

    fn member<'s>(
        &'s self,
        here: &'s str,
        name: &'s str,
        rest: &[&'s str],
        depth: u32,
    ) -> Option<Meaning<'s>> {
        // Names that mean each other would never end.
        let (here, module) = self.0.get_key_value(here).filter(|_| depth < 16)?;
        let item = module.items.iter().find(|(_, item)| *item == name);
        let child = module
            .children
            .contains(name)
            .then(|| format!("{here}::{name}"));
        match (item, child.and_then(|child| self.0.get_key_value(&child))) {
            // A function and a module may have one name: what goes on inside is the module.
            (Some((_, name)), None) => return Some(Meaning::Item { module: here, name }),
            (Some((_, name)), _) if rest.is_empty() => {
                return Some(Meaning::Item { module: here, name });
            }
            (_, Some((child, _))) => return self.meaning(child, rest, depth),
            (None, None) => {}
        }
        module.imports.iter().find_map(|import| {
            let meant = match import.name {
                Some(imported) if imported == name => [&import.path[..], rest].concat(),
                Some(_) => return None,
                None => [&import.path[..], &[name], rest].concat(),
            };
            // In its own module a name is not what it imports by that name: `use redis::Client`.
            let itself = meant.first() == Some(&name);
            (!itself)
                .then(|| self.meaning(here, &meant, depth + 1))
                .flatten()
        })
    }
}

/// What stands between each `use` and its `;`.
fn uses<'a, 't>(tokens: &'a [&'t str]) -> impl Iterator<Item = &'a [&'t str]> {
    let starts = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| **token == "use");
    starts.map(|(at, _)| &tokens[at + 1..after_semicolon(tokens, at) - 1])
}

fn outside_of_uses<'a, 't>(tokens: &'a [&'t str]) -> impl Iterator<Item = &'t str> + 'a {
    let mut inside = false;
    let outside = tokens.iter().filter(move |token| {
        inside = **token == "use" || (inside && **token != ";");
        !inside
    });
    outside.copied()
}

fn read_imports<'t>(tree: &[&'t str], before: &[&'t str], imports: &mut Vec<Import<'t>>) {
    let mut path = before.to_vec();
    for (at, token) in tree.iter().enumerate() {
        match *token {
            "::" if at == 0 && before.is_empty() => return, // Another crate's.
            "::" | "$" => {}
            "self" if !path.is_empty() => {}
            "*" => return imports.push(Import { path, name: None }),
            "as" => {
                return imports.push(Import {
                    path,
                    name: Some(tree[at + 1]),
                });
            }
            "{" => {
                let inside = &tree[at + 1..after_group(tree, at) - 1];
                return each(inside).for_each(|part| read_imports(part, &path, imports));
            }
            word => path.push(word),
        }
    }
    if let Some(name) = path.last().copied() {
        imports.push(Import {
            path,
            name: Some(name),
        });
    }
}

/// The parts between the commas outside of all brackets.
fn each<'a, 't>(tokens: &'a [&'t str]) -> impl Iterator<Item = &'a [&'t str]> {
    let mut depth = 0_i32;
    tokens.split(move |token| {
        depth += i32::from(*token == "{") - i32::from(*token == "}");
        *token == "," && depth == 0
    })
}

/// Paths of two names at least that stand outside of `use`.
fn inline_paths<'t>(tokens: &[&'t str]) -> Vec<Vec<&'t str>> {
    let tokens: Vec<&str> = outside_of_uses(tokens).collect();
    let is_name = |token: &str| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut paths = Vec::new();
    let mut before = "";
    for (at, first) in tokens.iter().enumerate() {
        let mut path = vec![*first];
        for pair in tokens[at + 1..].chunks_exact(2) {
            if pair[0] != "::" || !is_name(pair[1]) {
                break;
            }
            path.push(pair[1]);
        }
        if is_name(first) && path.len() > 1 && before != "::" && before != "." {
            paths.push(path);
        }
        before = first;
    }
    paths
}
