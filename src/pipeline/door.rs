use super::decision::{Admitted, By, Decision, Refusal, Reply};
use super::gate::Gate;
use super::head::Head;
use super::pipeline::Pipeline;
use super::route::is_endpoint;
use super::visit::{Refused, Visit};
use crate::event::{Facts, KeptFacts, Step};
use crate::principal::Caller;
use crate::reject::{Rejection, ResponseBody, Shape};
use crate::scheme::SchemeId;
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;

/// A gate, and whatever it takes to decide, to answer a refusal and to tell of it.
///
/// Every refusal of a layer, of a handler or of an endpoint leaves here. Where layers are nested,
/// the innermost one that sees it answers it and tells of it, and leaves nothing behind that the
/// others would take for another.
#[derive(Clone)]
pub(crate) struct Door {
    pipeline: Arc<Pipeline>,
    gate: Gate,
}

/// In the extensions of an answer that is its handler's own (a gRPC status): its refusal was told.
#[cfg(feature = "tonic")]
#[derive(Clone)]
struct Told;

impl Door {
    pub(crate) fn new(pipeline: Arc<Pipeline>, gate: Gate) -> Self {
        Self { pipeline, gate }
    }

    /// Another gate of the same pipeline.
    pub(crate) fn with(&self, gate: Gate) -> Self {
        Self::new(Arc::clone(&self.pipeline), gate)
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What becomes of a request.
    #[inline]
    pub(crate) fn decide<B>(&self, request: &mut Request<B>) -> Decision {
        match &self.gate {
            Gate::Authenticate(mode) => {
                // Noted first, because reading takes a credential out of the URL.
                self.pipeline.note_precautions(request);
                self.pipeline.authenticate(*mode, request)
            }
            Gate::Anonymous => {
                self.pipeline.note_precautions(request);
                self.pipeline.admit_anonymous(request)
            }
            Gate::Throttle(stack) => self.pipeline.throttle_route(stack, request),
            Gate::ThrottlePublic(stack) => self.pipeline.throttle_public(stack, request),
            Gate::Require(requirement) => self.pipeline.require(requirement, request),
            Gate::Errors => {
                // Nobody is verified here, but what is presented must not show up in a log.
                self.pipeline.reader.hide(request.headers_mut());
                Decision::Admit(Admitted::uncounted(By::Before))
            }
        }
    }

    /// Goes on where a question was asked.
    pub(crate) fn resume<B>(&self, reply: Reply, request: &mut Request<B>) -> Decision {
        self.pipeline.resume(reply, request)
    }

    /// What is kept of a request that is let through.
    #[inline(always)] // it is mostly a shape, which the compiler can then see
    pub(crate) fn visit<B>(&self, request: &Request<B>, admitted: Admitted) -> Visit {
        let Admitted { fields, by } = admitted;
        if self.pipeline.decisions.is_counted()
            && let Some(scheme) = by.place()
        {
            self.pipeline.decisions.admitted(self.gate.place(), scheme);
        }
        let facts = if self.pipeline.events.listen() {
            Some(self.keep(request))
        } else {
            None
        };
        Visit {
            // That of HTTP, for a gRPC handler refuses by a status of its own.
            shape: Shape::of_http(request.method()),
            by,
            fields,
            facts,
            precautions: self.pipeline.precautions(request),
        }
    }

    /// Tells of a refusal of this gate. What there is to answer, and in what shape.
    #[inline(always)] // a flood of refusals passes here
    pub(crate) fn refuse<B>(&self, refusal: Refusal, request: &Request<B>) -> Refused {
        let Refusal { rejection, scheme } = refusal;
        if self.pipeline.decisions.is_counted() {
            self.count(&rejection, request, scheme);
        }
        let shape = match Shape::of(request.method(), request.headers()) {
            Shape::Grpc(_) if is_endpoint(request.extensions()) => Shape::Http,
            shape => shape,
        };
        let rejection = if self.pipeline.events.listen_to(rejection.kind()) {
            self.tell_of(rejection, request, scheme)
        } else {
            rejection
        };
        Refused {
            rejection,
            shape,
            precautions: self.pipeline.precautions(request),
        }
    }

    /// Counts a refusal of this gate.
    #[cold]
    fn count<B>(&self, rejection: &Rejection, request: &Request<B>, scheme: Option<SchemeId>) {
        let scheme = scheme.or_else(|| request.extensions().get::<Caller>()?.scheme);
        let place = By::scheme(scheme).place().unwrap_or_default();
        let decisions = &self.pipeline.decisions;
        decisions.refused(self.gate.place(), place, rejection.kind());
    }

    #[cold]
    fn tell_of<B>(
        &self,
        rejection: Rejection,
        request: &Request<B>,
        scheme: Option<SchemeId>,
    ) -> Rejection {
        self.tell(rejection, &self.head(request, scheme))
    }

    /// Held while a step of the inner service is taken, its call or a poll: whoever is told of what
    /// happens in it knows the request.
    #[inline(always)] // every request passes here
    pub(crate) fn inside<'v>(&self, visit: &'v mut Visit) -> Option<Step<'v>> {
        // The hook and the audit alone are told within which request something happens. What
        // `tracing` is told of it is said with a refusal.
        if visit.facts.is_some() && self.pipeline.events.want_requests() {
            Some(Step::begin(&mut visit.facts))
        } else {
            None
        }
    }

    /// The answer to a request that was refused.
    #[inline(always)] // responses are large, and each call that is left moves one
    pub(crate) fn refused<R>(&self, refused: Refused) -> Response<ResponseBody<R>> {
        let Refused {
            rejection,
            shape,
            precautions,
        } = refused;
        let mut response = self.pipeline.responder.respond(rejection, shape);
        if let Some(precautions) = precautions {
            precautions.write(&mut response);
        }
        response
    }

    /// The answer to a request that was let through: the inner service's, unless that refused.
    #[inline(always)] // responses are large, and each call that is left moves one
    pub(crate) fn answered<R>(
        &self,
        mut response: Response<R>,
        visit: &mut Visit,
    ) -> Response<ResponseBody<R>> {
        if !response.extensions().is_empty()
            && let Some((rejection, shape)) = self.refused_inside(&mut response, visit)
        {
            return self.refused_late(rejection, shape, visit);
        }
        self.pipeline.responder.add_vary(response.headers_mut());
        if let Some(fields) = visit.fields.take() {
            fields.write(response.headers_mut());
        }
        if let Some(precautions) = visit.precautions.take() {
            precautions.write(&mut response);
        }
        response.map(ResponseBody::inner)
    }

    #[cold]
    fn refused_late<R>(
        &self,
        rejection: Rejection,
        shape: Shape,
        visit: &mut Visit,
    ) -> Response<ResponseBody<R>> {
        let mut response = self.pipeline.responder.respond(rejection, shape);
        if let Some(fields) = visit.fields.take() {
            fields.write(response.headers_mut());
        }
        if let Some(precautions) = visit.precautions.take() {
            precautions.write(&mut response);
        }
        response
    }

    /// A handler that returns a [`Rejection`] leaves it in the response's extensions; here it is
    /// told, and gets the layer's format and challenges. It is taken out, so that no layer
    /// outside of this one tells of it again.
    #[inline(never)] // few answers have extensions
    fn refused_inside<R>(
        &self,
        response: &mut Response<R>,
        visit: &Visit,
    ) -> Option<(Rejection, Shape)> {
        if let Some(rejection) = response.extensions_mut().remove::<Rejection>() {
            return Some((self.tell_of_inside(rejection, visit), visit.shape));
        }
        #[cfg(feature = "tonic")]
        return self.refused_by_status(response, visit);
        #[cfg(not(feature = "tonic"))]
        None
    }

    /// A tonic handler's refusal is answered already, and only told.
    #[cfg(feature = "tonic")]
    fn refused_by_status<R>(
        &self,
        response: &mut Response<R>,
        visit: &Visit,
    ) -> Option<(Rejection, Shape)> {
        let extensions = response.extensions_mut();
        let rejection = crate::framework::tonic_rejection(extensions)?.clone();
        // The status stays in the answer, because it is the handler's own. A layer outside of this
        // one finds it there too, and must not tell of it again.
        if extensions.insert(Told).is_some() {
            return None;
        }
        let kind = rejection.kind();
        let told = self.tell_of_inside(rejection, visit);
        // Another refusal comes back where the hook panicked, and takes the place of the handler's
        // answer.
        (told.kind() != kind).then_some((told, Shape::Grpc("application/grpc")))
    }

    fn tell_of_inside(&self, rejection: Rejection, visit: &Visit) -> Rejection {
        let place = visit.by.place().unwrap_or_default();
        let decisions = &self.pipeline.decisions;
        decisions.refused(Gate::HANDLER, place, rejection.kind());
        if !self.pipeline.events.listen_to(rejection.kind()) {
            return rejection;
        }
        match &visit.facts {
            Some(facts) => self.tell(rejection, &**facts),
            // Nobody listened when the request came, so nothing is known of it any more.
            None => self.tell(rejection, &KeptFacts::default()),
        }
    }

    fn tell(&self, rejection: Rejection, request: &dyn Facts) -> Rejection {
        let Pipeline { events, clock, .. } = &*self.pipeline;
        events.refused(rejection, request, &**clock)
    }

    /// What may have to be told of a request once it has gone to the inner service.
    #[cold]
    fn keep<B>(&self, request: &Request<B>) -> Box<KeptFacts> {
        Box::new(self.head(request, None).keep())
    }

    fn head<'r, B>(&'r self, request: &'r Request<B>, scheme: Option<SchemeId>) -> Head<'r> {
        Head::new(&self.pipeline, &self.gate, scheme, request)
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
