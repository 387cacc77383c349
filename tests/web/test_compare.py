"""Two executions side by side."""

import random

from support import traffic
from support.pages import trace_with_services

ROWS = "main .rows [role=row]"


def run(trace, thread_of_parent, extra=()):
    """Two workers below one request; the second one's write is a child of the given event."""
    event = lambda name, number, thread, parent, kind: traffic.sdk_event(  # noqa: E731
        trace, number, id=f"{trace[:-4]}{number:04}", parent_id=parent and f"{trace[:-4]}{parent:04}", kind=kind, causality_vector=[],
        metadata={**traffic.sdk_event()["metadata"], "thread_id": thread, "service_name": "bank"})
    write = {"StateChange": {"variable": "balance", "old_value": 1, "new_value": 2, "location": "bank.py:12", "access_type": "Write"}}
    return [event("request", 1, "main", None, {"HttpRequest": {"method": "POST", "url": "/transfer", "headers": {}}}),
            event("write", 2, "worker-1", 1, write), event("write", 3, "worker-2", thread_of_parent, write),
            *(event("more", 4 + n, "main", 1, {"Custom": {"name": name, "data": None}}) for n, name in enumerate(extra))]


A, B = "aaaaaaaa-0000-4000-8000-00000000a000", "bbbbbbbb-0000-4000-8000-00000000b000"


def test_what_only_one_did_and_what_is_ordered_in_one_only(open_store, open_browser):
    store = open_store("memory")
    store.post({"events": run(A, 2, ["audited"]) + run(B, 1, ["retried", "logged"])})
    page = open_browser(store)
    page.open(f"/traces/{A}")
    page.click("a", "Compare …")
    page.find(".note", "Choose the trace to compare with")
    page.click(ROWS, "bbbbbbbb")
    page.at(rf"/compare\?a={A}&b={B}")
    page.find(".facts", "3 events in both · 1 only in A · 2 only in B · 1 pair with another relation")
    assert "balance on worker-1 and balance on worker-2: ordered in A, concurrent in B" in page.text(".lines")
    marks = page.run(f"return [...document.querySelectorAll('{ROWS}')].map(row => row.children[0].innerText + ' ' + row.children[3].innerText)")
    assert sorted(marks) == ["only A audited", "only B logged", "only B retried"]
    page.click("button", "Swap")
    page.find(".lines", "concurrent in A, ordered in B")
    page.click(".check input")
    page.at(r"/compare\?.*all=1")
    page.until(f"return document.querySelectorAll('{ROWS}').length === 6", "all of both")
    page.click(".lines a", "B")
    page.at(rf"/traces/{A}\?sel=.*&mark=.*")


def test_a_trace_is_as_it_is(page, recorded):
    trace = trace_with_services(recorded, 3)
    page.open(f"/compare?a={trace}&b={trace}")
    page.find(".facts", "0 only in A · 0 only in B · 0 pairs with another relation")
    page.find(".empty", "Both did the same")


def longest(a, b):
    """How long the longest common subsequence is, the slow way."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for x in range(len(a)):
        for y in range(len(b)):
            best[x + 1][y + 1] = best[x][y] + 1 if a[x] == b[y] else max(best[x][y + 1], best[x + 1][y])
    return best[-1][-1]


def test_as_much_as_can_be_is_found_in_both(open_store, open_browser):
    store = open_store("memory")
    draw = random.Random(7)
    page = open_browser(store)
    for case in range(6):
        names = [[draw.choice("abcd") for _ in range(draw.randrange(1, 40))] for _ in range(2)]
        traces = [f"t{case}-{side}" for side in range(2)]
        for trace, listed in zip(traces, names):
            store.post([traffic.documented_event(f"{trace}-{n}", trace, n, kind="Custom", vector_clock={"a": n + 1}, location="x",
                                                 metadata={"service_name": "s", "thread_id": "t", "name": name}) for n, name in enumerate(listed)])
        both = longest(*names)
        page.open(f"/compare?a={traces[0]}&b={traces[1]}")
        page.find(".facts", f"{both} event{'' if both == 1 else 's'} in both · {len(names[0]) - both} only in A · {len(names[1]) - both} only in B")


def test_without_two_traces_it_says_how(page):
    page.open("/compare")
    page.find(".empty", "choose “Compare …” there")
