"""A server on the loopback interface that speaks the REST of ArcGIS's geocoder, and a clock for its clients."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

from gpu_clusters.geocoding.arcgis import Clock

PATH = "/arcgis/rest/services/World/GeocodeServer/findAddressCandidates"
SLOW, MALFORMED = "slow", b'{"candidates": ['


def candidate(lon, lat, score=100, kind="City", level="Locality", **more):
    """A candidate as the service writes it."""
    return {
        "address": "somewhere",
        "location": {"x": lon, "y": lat},
        "score": score,
        "attributes": {"Addr_type": level, "Type": kind, "Score": score, **more},
        "extent": {"xmin": lon, "ymin": lat, "xmax": lon, "ymax": lat},
    }


def error(code, message="no"):
    """An error in the body of an answer with status 200."""
    return {"error": {"code": code, "message": message, "details": []}}


class Time:
    """A clock that jumps; ``waits`` are the waits that were asked for."""

    def __init__(self):
        self.at, self.waits = 0.0, []

    def wait(self, seconds):
        self.waits.append(seconds)
        self.at += seconds

    @property
    def clock(self):
        return Clock(lambda: self.at, self.wait)


class Service:
    """What a server was asked: its URL, the queries in their order, and all other parameters."""

    def __init__(self):
        self.url, self.queries, self.given, self.release = "", [], [], threading.Event()
        self.next = lambda _query: []

    def attach(self, arcgis):
        """Let a client's patience end soon where no answer will come, and never elsewhere, however busy the machine is."""
        adapter, timeout_s = arcgis._client.adapter, arcgis._client.timeout
        ask = adapter.get_json

        def get_json(url, *, timeout, headers):
            assert timeout == timeout_s
            slow = self.next(parse_qs(urlparse(url).query)["singleLine"][0]) == SLOW
            return ask(url, timeout=0.1 if slow else 60, headers=headers)

        adapter.get_json = get_json
        return arcgis


@contextmanager
def serving(answers):
    """A server; ``answers`` maps a query to its answers one after the other, of which the last stays.

    An answer is a list of candidates, a body (dict, bytes), a status with headers and a body, or `SLOW`: none at all. Other
    queries have no candidates.
    """
    service, seen = Service(), Counter()

    def step_of(query):
        steps = answers.get(query, [[]])
        return steps[min(seen[query], len(steps) - 1)]

    service.next = step_of

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            url = urlparse(self.path)
            given = {name: values[0] for name, values in parse_qs(url.query).items()}
            query = given.pop("singleLine")
            step = step_of(query)
            seen[query] += 1
            service.queries.append(query)
            service.given.append(given)
            if step == SLOW:
                service.release.wait(60)
                return
            status, headers, body = step if isinstance(step, tuple) else (200, {}, step)
            if url.path != PATH:
                status, body = 404, b""
            if isinstance(body, list):
                body = {"spatialReference": {"wkid": 4326}, "candidates": body}
            if isinstance(body, dict):
                body = json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield service
    finally:
        service.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
