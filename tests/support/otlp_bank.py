"""A small instrumented program with a lost update: two requests of one trace withdraw from one account at once.

It keeps its spans as OpenTelemetry's SDKs do and sends them as OTLP JSON; a variable's reads and writes are events of the
spans, with Raceway's attributes."""

import http.server
import json
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from support.otlp import TRACE, attributes, request


class Tracer:
    def __init__(self):
        self.spans = []
        self.lock = threading.Lock()
        self.count = 0

    def start(self, name, parent="", **values):
        with self.lock:
            self.count += 1
            span = {"traceId": TRACE, "spanId": f"{self.count:016x}", "parentSpanId": parent, "name": name, "kind": 1,
                    "startTimeUnixNano": str(time.time_ns()), "events": [], "attributes": attributes(values)}
            self.spans.append(span)
        return span

    @staticmethod
    def access(span, variable, access, line, **values):
        told = {"raceway.variable": variable, "raceway.access": access, "code.file.path": "bank.py", "code.line.number": line,
                **{f"raceway.{key}": value for key, value in values.items()}}
        span["events"].append({"timeUnixNano": str(time.time_ns()), "name": variable, "attributes": attributes(told)})

    @staticmethod
    def end(span):
        span["endTimeUnixNano"] = str(time.time_ns())


def run(url):
    """Two withdrawals of 10 and 20 from a balance of 100, each by HTTP; sends the spans to `url`. The balance then."""
    tracer = Tracer()
    account = {"balance": 100}
    both_have_read = threading.Barrier(2)

    class Bank(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            _, _, parent, _ = self.headers["traceparent"].split("-")
            span = tracer.start("POST /withdraw", parent, **{"http.request.method": "POST", "url.path": "/withdraw"})
            balance = account["balance"]
            tracer.access(span, "balance", "read", 12, new=balance)
            both_have_read.wait()  # so that it is lost each time
            account["balance"] = balance - int(self.path.rpartition("/")[2])
            tracer.access(span, "balance", "write", 14, old=balance, new=account["balance"])
            tracer.end(span)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = tracer.start("two withdrawals")

        def withdraw(amount):
            asked = urllib.request.Request(f"http://127.0.0.1:{server.server_port}/withdraw/{amount}", method="POST",
                                           headers={"traceparent": f"00-{TRACE}-{root['spanId']}-01"})
            urllib.request.urlopen(asked).close()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(withdraw, (10, 20)))
        tracer.end(root)
        server.shutdown()
    body = json.dumps(request(tracer.spans, service="bank")).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/v1/traces", body, {"Content-Type": "application/json"})).close()
    return account["balance"]
