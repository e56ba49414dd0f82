//! Within which request something happens: whoever is told of it learns who asked for it.
//!
//! What is known of a request lies in a cell of the thread while a step of its service is taken,
//! and goes back to whoever serves it when the step ends: a request may go on in another thread.

use super::KeptFacts;
use std::cell::Cell;
#[cfg(feature = "endpoints")]
use std::pin::pin;

thread_local! {
    static CURRENT: Cell<Option<Box<KeptFacts>>> = const { Cell::new(None) };
}

/// What is known of the request that is being served here and now, where somebody listens.
///
/// A copy, because whoever is told of an event may serve a request of its own meanwhile.
pub(super) fn current() -> Option<Box<KeptFacts>> {
    CURRENT.try_with(copy_of).ok().flatten()
}

fn copy_of(current: &Cell<Option<Box<KeptFacts>>>) -> Option<Box<KeptFacts>> {
    let facts = current.take();
    let copy = facts.clone();
    current.set(facts);
    copy
}

/// Takes a step in the service of a request.
#[cfg(any(test, feature = "endpoints"))]
fn within<T>(facts: &mut Option<Box<KeptFacts>>, step: impl FnOnce() -> T) -> T {
    let _step = Step::begin(facts);
    step()
}

/// While a step is taken. Its end gives back what is known, also where the step panics, and puts
/// the request back that this one was served within.
#[must_use]
pub(crate) struct Step<'f> {
    home: &'f mut Option<Box<KeptFacts>>,
    around: Option<Box<KeptFacts>>,
}

impl<'f> Step<'f> {
    #[inline]
    pub(crate) fn begin(home: &'f mut Option<Box<KeptFacts>>) -> Self {
        let facts = home.take();
        // A thread that is ending has no cell any more: nobody learns the request then.
        let around = CURRENT.try_with(|current| current.replace(facts));
        Self {
            home,
            around: around.ok().flatten(),
        }
    }
}

impl Drop for Step<'_> {
    #[inline]
    fn drop(&mut self) {
        let around = self.around.take();
        if let Ok(facts) = CURRENT.try_with(|current| current.replace(around)) {
            *self.home = facts;
        }
    }
}

/// What goes on in a task of its own, in the service of the same request.
#[cfg(feature = "endpoints")]
pub(crate) fn for_this_request<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let mut facts = current();
    async move {
        let mut future = pin!(future);
        std::future::poll_fn(|cx| within(&mut facts, || future.as_mut().poll(cx))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Facts;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn named(scheme: &'static str) -> Option<Box<KeptFacts>> {
        Some(Box::new(KeptFacts {
            scheme: Some(scheme),
            ..KeptFacts::default()
        }))
    }

    fn name(facts: Option<Box<KeptFacts>>) -> Option<&'static str> {
        facts?.scheme()
    }

    #[test]
    fn a_step_is_taken_within_the_innermost_request_and_gives_back_what_it_was_given() {
        let mut outer = named("outer");
        let mut inner = named("inner");
        within(&mut outer, || {
            assert_eq!(name(current()), Some("outer"));
            within(&mut inner, || assert_eq!(name(current()), Some("inner")));
            assert_eq!(name(current()), Some("outer"));
        });
        assert_eq!(name(current()), None);
        assert_eq!(name(outer), Some("outer"));
        assert_eq!(name(inner), Some("inner"));
    }

    #[test]
    fn after_a_step_that_panics_the_thread_is_within_no_request() {
        let mut facts = named("outer");
        let step = AssertUnwindSafe(|| within(&mut facts, || panic!("planted")));
        assert!(catch_unwind(step).is_err());
        assert_eq!(name(current()), None);
        assert_eq!(name(facts), Some("outer"));
    }

    #[cfg(feature = "endpoints")]
    #[test]
    fn what_goes_on_in_a_task_is_within_the_request_that_began_it() {
        let mut facts = named("outer");
        let step = || for_this_request(async { name(current()) });
        let task = within(&mut facts, step);
        // The request may be answered by then.
        drop(facts);
        let task = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(task)
        });
        assert_eq!(task.join().unwrap(), Some("outer"));
    }
}
