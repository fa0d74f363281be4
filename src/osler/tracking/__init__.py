"""What another FastAPI or Starlette application imports: three lines track its requests, one call sends an event.

    from osler.tracking import Osler, TrackingMiddleware, maps_to, path

    osler = Osler.from_env()
    app.add_middleware(TrackingMiddleware, osler=osler, identify=subject_of, routes=ROUTES)

Light by contract: no database, no NumPy, no web framework. Nothing here makes the host slower or breaks it when Osler
is away: the request path only appends to memory; one thread has the disk, another the network.
"""

from osler.tracking.client import Osler
from osler.tracking.http_sink import HttpSink
from osler.tracking.mapping import maps_to, path
from osler.tracking.middleware import TrackingMiddleware
from osler.tracking.options import TrackingOptions
from osler.tracking.sinks import Sink

__all__ = ["HttpSink", "Osler", "Sink", "TrackingMiddleware", "TrackingOptions", "maps_to", "path"]
