# ---
# attack: sends out by TCP, UDP, DNS, raw, Unix and abstract sockets, in two families, also from a subprocess
# kind: extra cell
# honest: [ex1, ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% before ex1
import socket
import subprocess
import sys
import urllib.request

places = [
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", int("@tcp@"))),
    (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", int("@udp@"))),
    (socket.AF_INET6, socket.SOCK_STREAM, ("::1", int("@tcp@"))),
    (socket.AF_INET6, socket.SOCK_DGRAM, ("::1", int("@udp@"))),
    (socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 53)),
    (socket.AF_INET, socket.SOCK_RAW, ("127.0.0.1", 0)),
    (socket.AF_UNIX, socket.SOCK_STREAM, "\0@unix@"),
    (socket.AF_UNIX, socket.SOCK_STREAM, "@course@/listener"),
    (socket.AF_UNIX, socket.SOCK_STREAM, "/var/run/docker.sock"),
]
for family, kind, address in places:
    try:
        with socket.socket(family, kind) as sender:
            sender.settimeout(0.2)
            sender.connect(address)
            sender.send(b"hidden tests, please")
            print("connected", address)
    except OSError as error:
        print(address, error)
for question in (
    lambda: socket.getaddrinfo("example.com", 80),
    lambda: urllib.request.urlopen("http://127.0.0.1:@tcp@/"),
):
    try:
        print("answered", question())
    except OSError as error:
        print(error)
script = "import socket; socket.create_connection(('127.0.0.1', int('@tcp@')), 0.2); print('connected')"
try:
    print(subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=2).stdout)
except (OSError, subprocess.SubprocessError) as error:
    print(error)
