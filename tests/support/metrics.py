"""What a server says at /metrics."""

import re

SAMPLE = re.compile(r"^(\w+)(\{.*\})? (\S+)$")


def metrics(client):
    """{(name, labels as written): value}"""
    answer = client.get("/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [SAMPLE.match(line) for line in answer.body.decode().splitlines() if not line.startswith("#")]
    assert all(lines), answer.body
    return {(line[1], line[2] or ""): float(line[3]) for line in lines}


def figure(client, name, labels=""):
    """One of them."""
    return metrics(client)[name, labels]
