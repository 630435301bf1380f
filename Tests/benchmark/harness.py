"""What every part of the benchmark runs: a server on its core, nginx, processes that end with us."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def say(text):
    print(text, file=sys.stderr, flush=True)


class Cores:
    """Which core the server gets and which one the load."""

    def __init__(self):
        self.available = sorted(os.sched_getaffinity(0))
        self.server = self.available[0]
        self.load = self.available[1] if len(self.available) > 1 else self.available[0]


class Child:
    """A process of ours on one core; ended by its own PID when the benchmark ends."""

    def __init__(self, stack, core, arguments, **options):
        # Inherited across exec, so that every thread of the child keeps to it.
        own = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})
        try:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, **options)
        finally:
            os.sched_setaffinity(0, own)
        stack.callback(self.stop)

    def stop(self, number=signal.SIGTERM, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processor_seconds(pid):
    """Processor time of a process and its children so far, all threads."""
    spent = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as times:
            spent += int(times.read().split()[0]) / 1e9
        with open(f"/proc/{pid}/task/{task}/children") as children:
            spent += sum(processor_seconds(child) for child in children.read().split())
    return spent


def start_nginx(stack, directory, core, location, port=None, certificate=None, logs=False):
    """nginx with one worker and `location` as all it does; returns its port.

    It keeps no access log, or with `logs` the one it keeps unless told otherwise.

    With a certificate (the paths of its PEM file and its key's) the port speaks TLS. Its counters
    are at `/bench-status`, without TLS, at the port in the file `status-port`.
    """
    os.makedirs(directory)
    port = port or free_port()
    status_port = free_port() if certificate else port
    secure = "ssl" if certificate else ""
    status = f"""listen 127.0.0.1:{status_port}; location / {{ stub_status; }}"""
    files = ""
    if certificate:
        files = f"""ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};
  ssl_session_cache shared:bench:1m; server {{ {status} }}"""
    with open(f"{directory}/status-port", "w") as file:
        file.write(str(status_port))
    with open(f"{directory}/nginx.conf", "w") as file:
        file.write(
            f"""daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log {f"{directory}/access.log" if logs else "off"}; keepalive_requests 1000000000; keepalive_timeout 600; server_tokens off;
  client_body_temp_path {directory}/a; proxy_temp_path {directory}/b;
  fastcgi_temp_path {directory}/c; uwsgi_temp_path {directory}/d; scgi_temp_path {directory}/e;
  {files}
  server {{ listen 127.0.0.1:{port} {secure} backlog=4096; location /bench-status {{ stub_status; }}
    location / {{ {location} }} }}
}}
"""
        )
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    child = Child(
        stack, core, [nginx, "-p", directory, "-c", f"{directory}/nginx.conf"],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return port
        except OSError:
            if child.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("nginx did not start: " + open(f"{directory}/error.log").read())
            time.sleep(0.02)


class Tracker:
    """`clickrelay serve` with one event loop on the server's core."""

    def __init__(self, stack, binary, data, core):
        self.stack, self.binary, self.data, self.core = stack, binary, data, core
        self.token = None
        self.environment = {
            k: v for k, v in os.environ.items() if not k.startswith("CLICKRELAY_")
        }

    def command(self):
        """What `serve` is an argument of."""
        return [self.binary]

    def start(self):
        """Returns the seconds from exec to the first `readyz` that says 200."""
        self.port = free_port()
        self.log = open(f"{self.data}.log", "ab")
        begun = time.monotonic()
        self.child = Child(
            self.stack, self.core,
            [*self.command(), "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}",
             "--loops", "1", "--db-sync", "full"],
            env=self.environment, stdout=self.log, stderr=self.log,
        )
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return time.monotonic() - begun
            except OSError:
                pass
            if self.child.process.poll() is not None or time.monotonic() - begun > 30:
                raise SystemExit(f"the server did not start: see {self.data}.log")
            time.sleep(0.0005)

    def stop(self):
        return self.child.stop()

    def resident_bytes(self, field="VmRSS"):
        with open(f"/proc/{self.child.process.pid}/status") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        return 0

    def cpu_seconds(self):
        """Processor time so far, by the names of the threads that spent it."""
        spent = {}
        tasks = f"/proc/{self.child.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm") as name, open(f"{tasks}/{task}/schedstat") as times:
                thread = name.read().strip()
                spent[thread] = spent.get(thread, 0.0) + int(times.read().split()[0]) / 1e9
        return spent

    def api(self, method, path, body=None):
        if self.token is None:
            self.token = subprocess.run(
                [self.binary, "token", "create", "bench", "--data-dir", self.data],
                check=True, capture_output=True, text=True,
            ).stdout.strip()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(
            method, "/api/v1" + path, json.dumps(body) if body is not None else None,
            {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"},
        )
        response = connection.getresponse()
        text = response.read().decode()
        if response.status >= 300:
            raise SystemExit(f"{method} {path}: {response.status} {text}")
        return json.loads(text) if text else None

    def set_up(self, receiver=None):
        """One network and offer; the campaign `summer` is told on where there is a receiver."""
        network = self.api(
            "POST", "/networks",
            {"key": "net", "name": "Net", "click_id_param": "s2", "currency": "USD"},
        )
        self.api(
            "POST", "/offers",
            {"key": "fit", "name": "Fit", "network": "net",
             "url": "https://offer.example/land?s2={click_id}&zone={var1}"},
        )
        self.add_campaign(
            "summer", [] if receiver is None else [destination(f"http://127.0.0.1:{receiver}")])
        self.add_campaign("quiet", [])
        return network["postback_key"]

    def add_campaign(self, key, destinations):
        """A campaign whose source, `push-KEY`, has these destinations."""
        self.api(
            "POST", "/sources",
            {"key": f"push-{key}", "name": key, "external_id_param": "subid",
             "cost_param": "cost", "currency": "USD",
             "params": {"zone": "var1", "creative": "var2", "keyword": "var3"},
             "destinations": destinations},
        )
        self.api(
            "POST", "/campaigns",
            {"key": key, "name": key, "source": f"push-{key}", "redirect": "302",
             "cost": {"model": "param"},
             "flow": {"paths": [
                 {"weight": 70, "offers": [{"offer": "fit", "weight": 100}]},
                 {"weight": 30, "offers": [{"offer": "fit", "weight": 100}]}]}},
        )


def destination(origin, key="main"):
    """What a source's destination is told of each approved conversion."""
    return {
        "key": key, "method": "GET", "statuses": ["approved"], "events": [],
        "url": f"{origin}/conv?id={{external_id}}&value={{payout}}&order={{transaction_id}}",
        "allow_private": True,
    }
