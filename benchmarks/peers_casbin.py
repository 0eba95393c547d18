"""Casbin's part of `benchmarks.policy`: the role matrix for two agents of each person, in its own Python.

python peers_casbin.py PEOPLE TURNS
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import casbin

MODEL = """
[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.obj == p.obj && r.act == p.act
"""
MATRIX = {
    ("personal", "work"): ["read", "query"],
    ("personal", "finance"): ["read", "query"],
    ("personal", "health"): ["read"],
    ("work", "personal"): ["notify", "schedule"],
    ("finance", "personal"): ["notify"],
}


def agent(number: int, role: str) -> str:
    return f"did:wba:town.example:e1_{role}_{number}"


def main() -> None:
    people, turns = int(sys.argv[1]), int(sys.argv[2])
    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_policies([[mine, "p0", its, act] for (mine, its), actions in MATRIX.items() for act in actions])
    roles = [[agent(n, role), role, f"p{n}"] for n in range(people) for role in ("personal", "work")]
    enforcer.add_grouping_policies(roles)

    def one(number: int) -> bool:
        return bool(enforcer.enforce(agent(number, "personal"), "p0", "work", "read"))

    assert one(0)
    assert not one(1)
    times = []
    for turn in range(turns):
        number = turn * 7919 % people
        begun = time.perf_counter()
        one(number)
        times.append(time.perf_counter() - begun)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    print(json.dumps({"times": times, "memory": pages * resource.getpagesize() / 2**20}))


if __name__ == "__main__":
    main()
