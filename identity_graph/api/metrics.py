"""What the server did and how the store is, for Prometheus. No label ever holds what somebody sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import TYPE_CHECKING

import anyio.to_thread
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from identity_graph import __version__
from identity_graph.activating import Activating
from identity_graph.api.seats import Seats
from identity_graph.errors import StoreError
from identity_graph.normalise import NORMALISER_VERSION
from identity_graph.opendsr import Fulfilling
from identity_graph.sweeping import Sweeping
from identity_graph.tracking.tracking import Tracking

if TYPE_CHECKING:
    from identity_graph.service import IdentityGraph

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
FRESH = 60.0  # seconds for which counts of the store are good
SHARE = 50  # counting takes no more than one part in so many of the time

_OPERATION = "identity_graph.operation"


def name_operation(request: Request, name: str) -> None:
    """What the request is counted as; one that says nothing is `other`. Of few names, and never what was sent."""
    request.scope[_OPERATION] = name


class Metrics:
    """A registry of its own, so that two servers in a process do not mix."""

    def __init__(
        self,
        graph: IdentityGraph,
        tracking: Tracking,
        activating: Activating,
        seats: Seats,
        quarantine: Sweeping,
        evidence: Sweeping,
        opendsr: Fulfilling | None = None,
    ) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "identity_graph_requests", "Requests that were answered.", ["operation", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "identity_graph_request_seconds",
            "From a request to the end of its answer.",
            ["operation"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._errors = Counter(
            "identity_graph_graphql_errors",
            "Answers of GraphQL with errors of this code.",
            ["code"],
            registry=self._registry,
        )
        self._registry.register(_Standing(graph, tracking, activating, seats, quarantine, evidence, opendsr))
        ProcessCollector(registry=self._registry)

    def failed(self, codes: Iterable[str]) -> None:
        for code in set(codes):
            self._errors.labels(code).inc()

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, with every request counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            begun = time.perf_counter()
            status = 500

            async def sending(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, sending)
            finally:
                operation = scope.get(_OPERATION, "other")
                self._requests.labels(operation, str(status)).inc()
                self._seconds.labels(operation).observe(time.perf_counter() - begun)

        return counted

    async def show(self, request: Request) -> Response:
        name_operation(request, "metrics")
        encode, media = choose_encoder(request.headers.get("accept", ""))
        found = await anyio.to_thread.run_sync(encode, self._registry)
        return Response(found, headers={"cache-control": "no-store", "content-type": media})


class _Standing(Collector):
    """What is true at the moment, and what others count."""

    def __init__(
        self,
        graph: IdentityGraph,
        tracking: Tracking,
        activating: Activating,
        seats: Seats,
        quarantine: Sweeping,
        evidence: Sweeping,
        opendsr: Fulfilling | None,
    ) -> None:
        self._graph = graph
        self._tracking = tracking
        self._activating = activating
        self._seats = seats
        self._quarantine = quarantine
        self._evidence = evidence
        self._opendsr = opendsr
        self._lock = Lock()
        self._counts: dict[str, int] = {}
        self._good_until = 0.0

    def describe(self) -> list[Metric]:
        return []  # so that to register it does not read the store

    def collect(self) -> Iterator[Metric]:
        info = InfoMetricFamily("identity_graph", "The program, and what it was given.")
        graph, tracking = self._graph, self._tracking
        about = {"version": __version__, "store": graph.store.kind, "policy": graph.policy.digest}
        info.add_metric([], about | {"normaliser": str(NORMALISER_VERSION)})
        yield info
        events = CounterMetricFamily(
            "identity_graph_events", "Events that this server read, by what came of them.", labels=["outcome"]
        )
        for outcome, count in graph.ingest.tally.counts.items():
            events.add_metric([outcome], count)
        yield events
        yield GaugeMetricFamily(
            "identity_graph_tracking_waiting_messages", "Messages that wait to be stored.", tracking.waiting_messages
        )
        yield GaugeMetricFamily(
            "identity_graph_tracking_waiting_bytes", "Room that requests take, until they are answered.", tracking.taken
        )
        yield GaugeMetricFamily(
            "identity_graph_tracking_room_bytes", "Room that there is: beyond it a request gets 429.", tracking.room
        )
        publishing = tracking.standing
        yield CounterMetricFamily(
            "identity_graph_publications", "Publications of persons after what libraries sent.", publishing.publications
        )
        yield CounterMetricFamily(
            "identity_graph_publications_seconds", "Time that these publications took.", publishing.seconds
        )
        yield GaugeMetricFamily(
            "identity_graph_publication_lag_seconds",
            "For how long the oldest stored message has waited to be in its person.",
            publishing.lag,
        )
        yield GaugeMetricFamily(
            "identity_graph_publication_failing", "1 while persons cannot be published.", bool(publishing.trouble)
        )
        yield CounterMetricFamily(
            "identity_graph_quarantine_swept",
            "Records that this server deleted from quarantine, as they were too old or too many.",
            self._quarantine.deleted,
        )
        yield GaugeMetricFamily(
            "identity_graph_quarantine_sweeping_failing",
            "1 while quarantine cannot be swept.",
            bool(self._quarantine.trouble),
        )
        yield CounterMetricFamily(
            "identity_graph_retention_swept",
            "Events that this server deleted, as the policy keeps them no longer.",
            self._evidence.deleted,
        )
        yield GaugeMetricFamily(
            "identity_graph_retention_sweeping_failing",
            "1 while they cannot be deleted.",
            bool(self._evidence.trouble),
        )
        failing = GaugeMetricFamily(
            "identity_graph_destination_failing", "1 while it does not take what is delivered.", labels=["destination"]
        )
        for name, trouble in self._activating.troubles().items():
            failing.add_metric([name], bool(trouble))
        yield failing
        if self._opendsr:
            asked = GaugeMetricFamily(
                "identity_graph_opendsr_failing",
                "1 while requests of controllers cannot be carried out, or callbacks are not taken.",
                labels=["of"],
            )
            for what, trouble in self._opendsr.troubles().items():
                asked.add_metric([what], bool(trouble))
            yield asked
        yield GaugeMetricFamily(
            "identity_graph_waiting_clients", "Clients that are connected to hear of changes.", self._seats.taken
        )
        with self._lock:
            up = self._count()
            sizes = GaugeMetricFamily("identity_graph_store_size", "What is in the store.", labels=["of"])
            for name, count in self._counts.items():
                sizes.add_metric([name], count)
        yield GaugeMetricFamily("identity_graph_store_up", "1 if the store answers.", up)
        yield sizes

    def _count(self) -> bool:
        """Whether the store answers. Walks it now and then only."""
        begun = time.monotonic()
        try:
            if begun < self._good_until:
                self._graph.store.persons.resolved()
                return True
            self._counts = self._graph.store.operations.counts()
        except StoreError:
            return False
        now = time.monotonic()
        self._good_until = now + max(FRESH, SHARE * (now - begun))
        return True
