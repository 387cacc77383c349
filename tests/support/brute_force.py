"""What happened before what, and what races, by looking at every pair of events: slowly, from the rules as they are
written, sharing nothing with the server's code. Takes events in the SDK's form, as the API gives them, of one trace that
does not contradict itself.
"""

import heapq
from collections import Counter, defaultdict

from support.model import instant

WRITES = {"Write", "AtomicWrite", "AtomicRMW"}


class Trace:
    """The events of one trace; `before[a]` is the set of events that happened before event number a, as bits."""

    def __init__(self, events):
        self.events = events
        self.ids = {event["id"]: number for number, event in enumerate(events)}
        self.keys = [(instant(event["timestamp"]), event["id"]) for event in events]
        self.metadata = [event["metadata"] for event in events]
        self.parents = [self.ids.get(event["parent_id"]) for event in events]
        base = self._sorted({(parent, child) for child, parent in enumerate(self.parents) if parent is not None})
        self.rank = {number: place for place, number in enumerate(base)}
        edges = {(parent, child) for child, parent in enumerate(self.parents) if parent is not None}
        edges |= self._task_edges(base) | self._span_edges(base) | self._clock_edges(base)
        self.order = self._sorted(edges)
        edges |= self._program_edges()
        self.before = self._closure(edges)

    def _sorted(self, edges):
        """All events so that edges lead forward, with the earliest first."""
        waiting = Counter(after for _, after in edges)
        following = defaultdict(list)
        for before, after in edges:
            following[before].append(after)
        free = [(self.keys[number], number) for number in range(len(self.events)) if not waiting[number]]
        heapq.heapify(free)
        order = []
        while free:
            _, number = heapq.heappop(free)
            order.append(number)
            for after in following[number]:
                waiting[after] -= 1
                if not waiting[after]:
                    heapq.heappush(free, (self.keys[after], after))
        assert len(order) == len(self.events), "the trace contradicts itself"
        return order

    def process(self, number):
        metadata = self.metadata[number]
        return metadata["service_name"], str(metadata.get("instance_id") or metadata.get("process_id"))

    def strand(self, number):
        metadata = self.metadata[number]
        if metadata.get("thread_id"):
            return (*self.process(number), "thread", metadata["thread_id"])
        if metadata.get("distributed_span_id"):
            return (*self.process(number), "span", metadata["distributed_span_id"])
        return ("alone", number)

    def _strands(self, order):
        strands = defaultdict(list)
        for number in order:
            strands[self.strand(number)].append(number)
        return strands

    def _program_edges(self):
        return {pair for members in self._strands(self.order).values() for pair in zip(members, members[1:])}

    def _task_edges(self, order):
        edges = set()
        for strand, members in self._strands(order).items():
            for number in order:
                kind = self.events[number]["kind"]
                if "AsyncSpawn" in kind and strand[-1] == kind["AsyncSpawn"]["task_id"] and self.strand(number) != strand:
                    edges.add((number, members[0]))
                if "AsyncAwait" in kind and strand[-1] == kind["AsyncAwait"]["future_id"] and self.strand(number) != strand:
                    edges.add((members[-1], number))
        return edges

    def _upstream(self, span):
        return next((self.metadata[number]["upstream_span_id"] for number in sorted(self.rank, key=self.rank.get)
                     if self.metadata[number].get("distributed_span_id") == span
                     and self.metadata[number].get("upstream_span_id")), None)

    def _span_edges(self, order):
        spans, edges, begun = {}, set(), set()
        for number in order:
            spans.setdefault(self.metadata[number].get("distributed_span_id"), number)
        for number in order:
            span = self.metadata[number].get("distributed_span_id")
            above = span and self._upstream(span)
            if above and above in spans and above != span and (span, self.strand(number)) not in begun:
                begun.add((span, self.strand(number)))
                edges.add((spans[above], number))
        return edges

    def _component(self, number):
        metadata = self.metadata[number]
        return f"{metadata['service_name']}#{metadata['instance_id']}" if metadata.get("instance_id") else None

    def _clock_edges(self, order):
        requests = defaultdict(list)  # (component, span, strand): its events
        for number in order:
            if self._component(number) and self.strand(number)[0] != "alone":
                requests[self._request_of(number)].append(number)
        components = {component for component, _, _ in requests}
        clocks = [{name: count for name, count in event["causality_vector"] if count} for event in self.events]
        edges = self._plain_edges([clock if not components & set(clock) else {} for clock in clocks])
        meant = [{} for _ in self.events]  # by event and component of its clock: the requests
        received = defaultdict(set)
        for number in order:
            for name, count in clocks[number].items():
                if name in components and name != self._component(number):
                    meant[number][name] = self._requests_meant(requests, number, name)
                    for request in meant[number][name]:
                        received[request].add(count)
        numbers = {}
        for request, members in requests.items():
            own = {number: clocks[number].get(request[0]) for number in members}
            if any(own.values()):
                numbers[request] = {number: count for number, count in own.items() if count}
                counted = sorted(numbers[request].items(), key=lambda each: (each[1], self.rank[each[0]]))
                edges |= {(a, b) for (a, low), (b, high) in zip(counted, counted[1:]) if low < high}
            else:
                free = (n for n in range(1, 10**9) if n not in received[request])
                numbers[request] = dict(zip(members, free)) if received[request] else {}
        for request, members in requests.items():  # an instance upstream of itself counts on from what it received
            if request[1] and any(clocks[number].get(request[0]) for number in members):
                outer = [each for each in self._requests_meant(requests, members[0], request[0]) if each[1] != request[1]]
                meant[members[0]] = {**meant[members[0]], request[0]: outer}
        for number in order:
            for name, found in meant[number].items():
                own = name == self._component(number)
                for request in found:
                    limit = min(numbers[self._request_of(number)].values()) - 1 if own else clocks[number][name]
                    heard = [other for other, count in numbers[request].items() if count <= limit]
                    if heard:
                        edges.add((max(heard, key=lambda each: (numbers[request][each], self.rank[each])), number))
        return edges

    def _request_of(self, number):
        return self._component(number), self.metadata[number].get("distributed_span_id"), self.strand(number)

    def _requests_meant(self, requests, number, name):
        span = self.metadata[number].get("distributed_span_id")
        if not span:
            found = [request for request in requests if request[0] == name and request[2] != self.strand(number)]
            return found if len(found) == 1 else []
        seen = set()
        while span and span not in seen:
            seen.add(span)
            span = self._upstream(span)
            found = [request for request in requests if request[0] == name and request[1] == span]
            if span and found:
                return found
        return []

    @staticmethod
    def _plain_edges(clocks):
        def before(a, b):
            return a != b and all(count <= b.get(name, 0) for name, count in a.items())
        numbered = [(number, clock) for number, clock in enumerate(clocks) if clock]
        return {(a, b) for a, one in numbered for b, two in numbered if before(one, two)}

    def _closure(self, edges):
        incoming = defaultdict(list)
        for before, after in edges:
            incoming[after].append(before)
        known = [0] * len(self.events)
        place = {number: at for at, number in enumerate(self._sorted(edges))}
        for number in sorted(place, key=place.get):
            for before in incoming[number]:
                known[number] |= known[before] | 1 << before
        return known

    def relation(self, a, b):
        if a == b:
            return "equal"
        if self.before[b] >> a & 1:
            return "before"
        return "after" if self.before[a] >> b & 1 else "concurrent"

    def locks(self):
        """The locks that each event's strand holds at it."""
        held = {}
        for members in self._strands(self.order).values():
            now = Counter()
            for number in members:
                for kind, step in (("LockAcquire", 1), ("LockRelease", -1)):
                    if kind in self.events[number]["kind"]:
                        variant = self.events[number]["kind"][kind]
                        lock = (self.process(number), variant["lock_id"], "read" in variant["lock_type"].lower())
                        now[lock] = max(now[lock] + step, 0)
                held[number] = {lock for lock, times in now.items() if times}
        return held

    def races(self):
        """(variable, severity) of each unordered pair that races, counted."""
        found = Counter()
        locks = self.locks()
        accesses = defaultdict(list)
        for number in self.order:
            change = self.events[number]["kind"].get("StateChange")
            if change:
                accesses[change["variable"]].append((number, change["access_type"]))
        for variable, of_variable in accesses.items():
            for at, (b, access_b) in enumerate(of_variable):
                for a, access_a in of_variable[:at]:
                    writes = (access_a in WRITES) + (access_b in WRITES)
                    atomic = access_a.startswith("Atomic") and access_b.startswith("Atomic")
                    guarded = any(one[:2] == two[:2] and not (one[2] and two[2]) for one in locks[a] for two in locks[b])
                    if writes and not atomic and not guarded and self.relation(a, b) == "concurrent":
                        found[variable, "CRITICAL" if writes == 2 else "WARNING"] += 1
        return found
