"""Modules that mean harm, by what they go for; each is ``f`` of no arguments, and ends in one of these ways."""

SECRET = "MOOTHALL_TEST_SECRET"
"""A variable of the host's environment that nobody inside can read."""

REACHING = {
    "reads a file": ("open('/etc/passwd').read()", "raised"),
    "writes a file": ("open('/tmp/x', 'w').write('x')", "raised"),
    "reads by path": ("__import__('pathlib')", "raised"),
    "lists a folder": ("os.listdir('/')", "raised"),
    "removes a file": ("os.remove('/tmp/x')", "raised"),
    "reads the environment": ("os.environ", "raised"),
    "reads a variable": (f"os.getenv({SECRET!r})", "raised"),
    "starts a process": ("os.system('id')", "raised"),
    "forks": ("os.fork()", "raised"),
    "kills": ("os.kill(1, 9)", "raised"),
    "looks into a class": ("().__class__.__bases__[0].__subclasses__()", "raised"),
    "looks into a function": ("f.__globals__", "raised"),
    "looks into code": ("f.__code__.co_consts", "raised"),
    "looks into names": ("globals()", "raised"),
    "looks into builtins": ("__builtins__", "raised"),
    "looks by a text": ("getattr((), '__cla' + 'ss__')", "raised"),
    "looks by a format": ("'{0.__class__}'.format(())", "raised"),
    "reads input": ("input()", "raised"),
    "ends the host": ("sys.exit(3)", "raised"),
    "asks for another name": ("_moot_arguments_of_others()", "raised"),
}
"""An expression, and the kind of fault that its evaluation is."""

IMPORTS = ("socket", "ssl", "subprocess", "ctypes", "multiprocessing", "urllib.request", "http.client", "importlib")

EXHAUSTING = {
    "endless loop": ("while True:\n    pass", {"time"}),
    "endless loop that catches": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        {"time"},
    ),
    "endless iterator": ("import itertools\nfor i in itertools.count():\n    pass", {"time"}),
    "endless sum": ("sum(range(10 ** 12))", {"time"}),
    "comparison of a doubled list": (
        "a = b = ['x']\nfor i in range(60):\n    a, b = [a, a], [b, b]\n[a] == [b, 1] or a == b",
        {"time"},
    ),
    "list of 10^9": ("x = [0] * 10 ** 9", {"memory"}),
    "list of 10^9, again": (
        "while True:\n    try:\n        x = [0] * 10 ** 9\n    except BaseException:\n        pass",
        {"memory"},
    ),
    "a gigabyte": ("x = 'x' * 2 ** 30", {"memory"}),
    "growing list": ("x = []\nwhile True:\n    x.append('a' * 1000 + str(len(x)))", {"memory", "time"}),
    "growing text": ("x = 'x'\nwhile True:\n    x = x + x", {"memory", "time"}),
    "growing object": ("x = {}\nwhile True:\n    x[len(x)] = len(x)", {"memory", "time"}),
    "long line": ("','.join(['a' * 10 ** 6] * 10 ** 5)", {"memory", "time"}),
    "wide format": ("'%1000000000d' % 1", {"memory"}),
    "recursion": ("def g(n):\n    return g(n + 1)\ng(0)", {"recursion"}),
    "recursion that catches": (
        "def g(n):\n    try:\n        return g(n + 1)\n    except BaseException:\n        return g(n + 1)\ng(0)",
        {"time", "recursion"},
    ),
    "power": ("10 ** 10 ** 8", {"memory"}),
    "shift": ("1 << 10 ** 12", {"memory"}),
    "products": ("x = 7 ** 2000000\nfor i in range(100):\n    x = x * x", {"time", "memory"}),
    "factorial": ("import math\nmath.factorial(10 ** 7)", {"time", "memory"}),
    "root that cannot be interrupted": ("import math\nmath.isqrt(7 ** 3000000)", {"time"}),
    "decimals": ("import decimal\ndecimal.getcontext().prec = 10 ** 8\ndecimal.Decimal(1) / 3", {"memory"}),
    "digits": ("str(7 ** 2000000)", {"time", "raised"}),
    "backtracking": ("import re\nre.match(r'(a*)*\\1b', 'a' * 40)", {"time", "raised"}),
    "large pattern": ("import re\nre.compile('(?:a{1000}){1000}{1000}')", {"time", "raised"}),
    "deep JSON": ("import json\njson.loads('[' * 100000)", {"raised"}),
    "flood of text": ("while True:\n    print('x' * 10000)", {"output", "time"}),
    "flood of lines": (
        "while True:\n    try:\n        print('')\n    except BaseException:\n        pass",
        {"output", "time"},
    ),
    "flood of calls": (
        "while True:\n    try:\n        call('x', {})\n    except BaseException:\n        pass",
        {"calls"},
    ),
    "flood of names": (
        "while True:\n    try:\n        no_such_name\n    except BaseException:\n        pass",
        {"calls"},
    ),
    "flood of files": ("while True:\n    try:\n        open('/x')\n    except BaseException:\n        pass", {"calls"}),
    "flood of imports": (
        "while True:\n    try:\n        import no_such_module\n    except BaseException:\n        pass",
        {"calls"},
    ),
    "large value": ("return 'x' * 2 ** 21", {"output"}),
    "doubled value": ("a = ['x']\nfor i in range(40):\n    a = [a, a]\nreturn a", {"memory", "time"}),
    "doubled parameters": (
        "a = ['x']\nfor i in range(40):\n    a = [a, a]\ncall('x', {'a': a})",
        {"time", "raised", "memory"},
    ),
    "doubled error": ("a = ['x']\nfor i in range(40):\n    a = [a, a]\nraise ValueError(repr(a))", {"memory", "time"}),
    "long error": ("raise ValueError('x' * 10 ** 6)", {"raised"}),
    "deep value": ("a = []\nfor i in range(10 ** 5):\n    a = [a]\nreturn a", {"recursion", "result"}),
}
"""A body, and the kinds of fault that it may be."""

PATTERNS = ("(a+)+$", "(a|aa)+$", "(.*)*b", "(?=(a+)+$)b")
"""Patterns that take other engines for ever; this one answers."""


def body(text: str) -> str:
    """A module whose ``f`` is this."""
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"def f():\n{lines}    return None\n"
