"""Searches with faiss and usearch on the vectors of `greeter bench search`, when it says so.

Reads one JSON command a line and answers each with one:
  {"open": {"vectors": FILE, "queries": FILE, "people": N, "dims": D}}  -> {"engines": {NAME: bytes a template}}
  {"run": {"engine": NAME, "cpus": [..], "from": I, "count": K}}        -> {"ms": [..], "found": [..]}
Files hold f32, row after row. Each query is one call for the best two, as the robot asks; `found` is the best one's row.
"""

import json
import os
import sys
import time

import faiss
import numpy as np
from usearch.index import MetricKind, search


def as_int8(values, largest):
    return np.round(values * (127.0 / largest)).astype(np.int8)


class Peers:
    def __init__(self, vectors, queries, people, dims):
        self.vectors = np.fromfile(vectors, dtype=np.float32).reshape(people, dims)
        self.queries = np.fromfile(queries, dtype=np.float32).reshape(-1, dims)
        self.faiss = faiss.IndexFlatIP(dims)
        self.faiss.add(self.vectors)
        largest = max(float(np.abs(block).max()) for block in np.array_split(self.vectors, max(1, people // 100_000)))
        # Piece by piece: all at once would need a second copy of the vectors.
        self.small = np.empty((people, dims), dtype=np.int8)
        for start in range(0, people, 100_000):
            self.small[start : start + 100_000] = as_int8(self.vectors[start : start + 100_000], largest)
        self.small_queries = as_int8(self.queries, float(np.abs(self.queries).max()))
        self.dims = dims

    def engines(self):
        return {"faiss": 4 * self.dims, "usearch": 4 * self.dims, "usearch-i8": self.dims}

    def best(self, engine, at, threads):
        if engine == "faiss":
            return int(self.faiss.search(self.queries[at : at + 1], 2)[1][0, 0])
        rows, probes = (self.small, self.small_queries) if engine == "usearch-i8" else (self.vectors, self.queries)
        return int(search(rows, probes[at : at + 1], 2, MetricKind.IP, exact=True, threads=threads).keys[0])

    def run(self, engine, cpus, first, count):
        os.sched_setaffinity(0, cpus)
        faiss.omp_set_num_threads(len(cpus))
        times, found = [], []
        for at in range(first, first + count):
            began = time.perf_counter()
            best = self.best(engine, at, len(cpus))
            times.append((time.perf_counter() - began) * 1000)
            found.append(best)
        return {"ms": times, "found": found}


def main():
    peers = None
    for line in sys.stdin:
        command = json.loads(line)
        if "open" in command:
            # The former vectors go first.
            peers = None
            peers = Peers(**command["open"])
            answer = {"engines": peers.engines()}
        else:
            asked = command["run"]
            answer = peers.run(asked["engine"], asked["cpus"], asked["from"], asked["count"])
        print(json.dumps(answer), flush=True)


main()
