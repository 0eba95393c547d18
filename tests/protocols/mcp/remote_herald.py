"""What the conformance suite starts for every scenario: it tells the test's process, and ends as the work there ends."""

import os
import socket
import sys

with socket.socket(socket.AF_UNIX) as there:
    there.connect(sys.argv[1])
    told = (sys.argv[-1], os.environ["MCP_CONFORMANCE_SCENARIO"], os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    there.sendall("\0".join(told).encode())
    there.shutdown(socket.SHUT_WR)
    sys.exit(there.recv(1) != b"0")
