"""Measures Clickrelay beside nginx: one pinned core for the server, another for the load.

Run it as `sh Tests/bench`, which installs nginx and wrk and builds the binary. Every click is
fsynced before its redirect (DB_SYNC=full); the yardstick is nginx's bare `return 302` in the same
run, in rounds that take turns. Python's standard library only.
"""

import argparse
import contextlib
import http.client
import json
import os
import platform
import random
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLICK_ID = re.compile(rb"[?&]s2=([0-9a-z]{26})")
PATH = (
    "/c/summer?subid=W8dK3pQ9xZ7fT2mNcR5vB1hJ4gL6sA0y&zone=3948571&creative=77120&cost=0.0123"
    "&keyword=running+shoes&bid=0.021"
)
AGENT = (
    "Mozilla/5.0 (Linux; Android 14; SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.{}.{} Mobile Safari/537.36"
)


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


def start_nginx(stack, directory, core, location):
    """nginx with one worker, no access log and `location` as all it does; returns its port."""
    os.makedirs(directory)
    port = free_port()
    with open(f"{directory}/nginx.conf", "w") as file:
        file.write(
            f"""daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600; server_tokens off;
  client_body_temp_path {directory}/a; proxy_temp_path {directory}/b;
  fastcgi_temp_path {directory}/c; uwsgi_temp_path {directory}/d; scgi_temp_path {directory}/e;
  server {{ listen 127.0.0.1:{port} backlog=4096; location /bench-status {{ stub_status; }}
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

    def start(self):
        """Returns the seconds from exec to the first `readyz` that says 200."""
        self.port = free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CLICKRELAY_")}
        self.log = open(f"{self.data}.log", "ab")
        begun = time.monotonic()
        self.child = Child(
            self.stack, self.core,
            [self.binary, "serve", "--data-dir", self.data, "--listen", f"127.0.0.1:{self.port}",
             "--loops", "1", "--db-sync", "full"],
            env=environment, stdout=self.log, stderr=self.log,
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
        with open(f"/proc/{self.child.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

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
        destinations = [] if receiver is None else [
            {"key": "main", "method": "GET", "statuses": ["approved"], "events": [],
             "url": f"http://127.0.0.1:{receiver}/conv?id={{external_id}}&value={{payout}}",
             "allow_private": True}
        ]
        network = self.api(
            "POST", "/networks",
            {"key": "net", "name": "Net", "click_id_param": "s2", "currency": "USD"},
        )
        self.api(
            "POST", "/offers",
            {"key": "fit", "name": "Fit", "network": "net",
             "url": "https://offer.example/land?s2={click_id}&zone={var1}"},
        )
        for source, campaign, told in (("push", "summer", destinations), ("mute", "quiet", [])):
            self.api(
                "POST", "/sources",
                {"key": source, "name": source, "external_id_param": "subid",
                 "cost_param": "cost", "currency": "USD",
                 "params": {"zone": "var1", "creative": "var2", "keyword": "var3"},
                 "destinations": told},
            )
            self.api(
                "POST", "/campaigns",
                {"key": campaign, "name": campaign, "source": source, "redirect": "302",
                 "cost": {"model": "param"},
                 "flow": {"paths": [
                     {"weight": 70, "offers": [{"offer": "fit", "weight": 100}]},
                     {"weight": 30, "offers": [{"offer": "fit", "weight": 100}]}]}},
            )
        return network["postback_key"]


def seconds_of(text):
    """wrk's `1.23ms`, `950.00us`, `2.00s`, `1.10m` in seconds."""
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s|m|h)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}[unit]


def run_wrk(core, port, path, connections, seconds, script=None, arguments=()):
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
               "--latency", "-H", "User-Agent: " + AGENT.format(6478, 71),
               "-H", "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"]
    if script:
        command += ["-s", script]
    command.append(f"http://127.0.0.1:{port}{path}")
    if arguments:
        command += ["--", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    text = result.stdout
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    if result.returncode != 0 or not rate:
        raise SystemExit(f"wrk failed: {text}{result.stderr}")
    percentile = {
        name: seconds_of(value)
        for name, value in re.findall(r"^\s+([0-9.]+)%\s+([0-9.]+\w+)$", text, re.M)
    }
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: (.*)", text)
    if broken and not script:
        say("  wrk: socket errors " + broken.group(1))
    return {
        "per_second": float(rate.group(1)), "p50": percentile.get("50", 0.0),
        "p99": percentile.get("99", 0.0), "failed": int(failed.group(1)) if failed else 0,
        "requests": int(re.search(r"(\d+) requests in", text).group(1)),
    }


def medians(rounds):
    return {
        name: statistics.median(r[name] for r in rounds) for name in ("per_second", "p50", "p99")
    } | {"failed": sum(r["failed"] for r in rounds), "rounds": [r["per_second"] for r in rounds]}


def bench_redirects(stack, options, cores, directory, results):
    nginx = start_nginx(
        stack, f"{directory}/yardstick", cores.server,
        "return 302 https://offer.example/land?s2=0123456789abcdefghjkmnpqrs&zone=3948571;",
    )
    tracker = Tracker(stack, options.binary, f"{directory}/redirects", cores.server)
    results["start_empty_s"] = [tracker.start()]
    results["resident_idle_bytes"] = tracker.resident_bytes()
    tracker.set_up()
    for port in (nginx, tracker.port):
        run_wrk(cores.load, port, PATH, 64, 1)  # warm
    for connections in options.connections:
        rounds = {"nginx": [], "clickrelay": []}
        for number in range(options.rounds):
            for name, port in (("nginx", nginx), ("clickrelay", tracker.port)):
                say(f"  {connections} connections, round {number + 1}: {name}")
                rounds[name].append(run_wrk(cores.load, port, PATH, connections, options.seconds))
        both = {name: medians(measured) for name, measured in rounds.items()}
        both["ratio"] = both["clickrelay"]["per_second"] / both["nginx"]["per_second"]
        results["redirects"][str(connections)] = both
    results["resident_after_redirects_bytes"] = tracker.resident_bytes()
    results["resident_peak_bytes"] = tracker.resident_bytes("VmHWM")
    report = tracker.api("GET", "/report?group=campaign")
    results["clicks_recorded"] = report["totals"]["clicks"]
    tracker.stop()
    for _ in range(4):
        results["start_empty_s"].append(tracker_restart_time(stack, options, cores, directory))


def tracker_restart_time(stack, options, cores, directory):
    tracker = Tracker(stack, options.binary, f"{directory}/empty", cores.server)
    seconds = tracker.start()
    tracker.stop()
    return seconds


def make_clicks(port, campaign, count, seed):
    """Opens the campaign URL `count` times with parameters as varied as real ones."""
    choose = random.Random(seed)
    agents = [AGENT.format(choose.randrange(6000), choose.randrange(200)) for _ in range(200)]
    found = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while len(found) < count:
            wanted = min(30, count - len(found))
            batch = b"".join(
                (
                    f"GET /c/{campaign}?subid={choose.getrandbits(160):040x}"
                    f"&zone={3900000 + choose.randrange(800)}&creative={choose.randrange(40)}"
                    f"&cost=0.0{choose.randrange(100, 999)}&keyword=word{choose.randrange(300)} "
                    f"HTTP/1.1\r\nHost: t.example\r\nUser-Agent: {choose.choice(agents)}\r\n"
                    f"Referer: https://pub{choose.randrange(500)}.example/page\r\n\r\n"
                ).encode()
                for _ in range(wanted)
            )
            connection.sendall(batch)
            answer = b""
            while answer.count(b"\r\n\r\n") < wanted:
                chunk = connection.recv(262144)
                if not chunk:
                    raise SystemExit("the server closed the connection while clicks were made")
                answer += chunk
            ids = CLICK_ID.findall(answer)
            if len(ids) != wanted:
                raise SystemExit(f"{wanted} clicks, {len(ids)} click IDs: {answer[:400]!r}")
            found += ids
    return [one.decode() for one in found]


# Each postback once. At the last one wrk is interrupted, which makes it stop and print: without
# that it would sleep to the end of its time and count the sleep.
WRK_POSTBACKS = """
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int, int);")
local paths, position = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do paths[#paths + 1] = wrk.format("GET", line) end
end
function request()
  position = position + 1
  if position == #paths then ffi.C.kill(ffi.C.getpid(), 2) end
  if position > #paths then wrk.thread:stop() end
  return paths[math.min(position, #paths)]
end
"""


def postback_file(directory, key, campaign, clicks):
    path = f"{directory}/{campaign}.postbacks"
    with open(path, "w") as file:
        for number, click in enumerate(clicks):
            amount = f"{number % 90 + 1}.{number % 100:02d}"
            file.write(
                f"/postback/{key}?cid={click}&payout={amount}&currency=USD"
                f"&txid=T{number:09d}&status=approved\n"
            )
    return path


class Receiver:
    """The traffic source: nginx's `return 200` on the load's core, and its request counter."""

    def __init__(self, stack, directory, core):
        self.port = start_nginx(stack, directory, core, "return 200 OK;")
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.own = 0

    def count(self):
        self.own += 1
        self.connection.request("GET", "/bench-status")
        text = self.connection.getresponse().read().decode()
        # "server accepts handled requests\n A H R"
        return int(text.split("\n")[2].split()[2]) - self.own


def database_bytes(directory):
    return sum(
        os.path.getsize(os.path.join(directory, name)) for name in os.listdir(directory)
    )


def bench_conversions(stack, options, cores, directory, results):
    receiver = Receiver(stack, f"{directory}/receiver", cores.load)
    data = f"{directory}/conversions"
    tracker = Tracker(stack, options.binary, data, cores.server)
    tracker.start()
    key = tracker.set_up(receiver.port)
    say(f"  making {2 * options.postbacks} clicks")
    quiet = make_clicks(tracker.port, "quiet", options.postbacks, 1)
    loud = make_clicks(tracker.port, "summer", options.postbacks, 2)
    tracker.stop()
    results["bytes_per_click"] = database_bytes(f"{data}/clicks") / (2 * options.postbacks)
    results["start_filled_s"] = []
    for number in range(5):
        results["start_filled_s"].append(tracker.start())
        if number < 4:
            tracker.stop()

    script = f"{directory}/postbacks.lua"
    with open(script, "w") as file:
        file.write(WRK_POSTBACKS)
    say("  postbacks that tell nobody")
    path = postback_file(directory, key, "quiet", quiet)
    measured = run_wrk(cores.load, tracker.port, "/", 64, options.limit, script, [path])
    results["postbacks"] = measured

    say("  postbacks with an outbound postback each")
    path = postback_file(directory, key, "summer", loud)
    command = ["taskset", "-c", str(cores.load), "wrk", "-t1", "-c64", f"-d{options.limit}s",
               "--latency", "-s", script, f"http://127.0.0.1:{tracker.port}/", "--", path]
    begun = time.monotonic()
    samples = [(0.0, receiver.count())]
    load_ended = None
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stack.callback(wrk.kill)
    still = 0
    while time.monotonic() - begun < 3 * options.limit:
        time.sleep(0.02)
        samples.append((time.monotonic() - begun, receiver.count()))
        if load_ended is None and wrk.poll() is not None:
            load_ended = len(samples) - 1
        still = still + 1 if samples[-1][1] == samples[-2][1] else 0
        if load_ended is not None and (samples[-1][1] >= options.postbacks or still >= 150):
            break
    text = wrk.communicate()[0]
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    delivered = samples[-1][1]
    ended = next(t for t, count in samples if count == delivered)
    results["postbacks_with_delivery_per_second"] = float(rate.group(1)) if rate else 0.0
    results["deliveries"] = {
        "received": delivered, "seconds": ended, "per_second": delivered / ended if ended else 0.0,
    }
    load_end, at_end = samples[load_ended] if load_ended is not None else samples[-1]
    backlog = delivered - at_end
    results["deliveries"]["backlog_at_load_end"] = backlog
    if backlog >= options.postbacks // 20 and ended > load_end:
        results["deliveries"]["drain_per_second"] = backlog / (ended - load_end)
    results["resident_after_conversions_bytes"] = tracker.resident_bytes()
    results["ledger_bytes_per_conversion"] = None
    results["exit_code"] = tracker.stop()
    size = os.path.getsize(f"{data}/clickrelay.db")
    results["ledger_bytes_per_conversion"] = size / max(1, measured["requests"] + delivered)


def sync_microseconds(directory):
    """Median of a 4 KiB overwrite and its fdatasync, the way a write-ahead log is written."""
    block, times = os.urandom(4096), []
    with open(f"{directory}/sync", "w+b", buffering=0) as file:
        file.write(block * 200)
        os.fsync(file.fileno())
        file.seek(0)
        for _ in range(200):
            begun = time.perf_counter()
            file.write(block)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - begun)
    os.unlink(f"{directory}/sync")
    return statistics.median(times) * 1e6


def first_line(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    return (result.stdout + result.stderr).strip().split("\n")[0]


def machine(directory, binary):
    model = "unknown processor"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith(("model name", "Model")):
                model = line.split(":", 1)[1].strip()
                break
    system = "Linux"
    with contextlib.suppress(OSError), open("/etc/os-release") as file:
        system = dict(
            line.rstrip().split("=", 1) for line in file if "=" in line
        ).get("PRETTY_NAME", system).strip('"')
    return {
        "processor": model, "cores": os.cpu_count(), "system": system,
        "kernel": platform.release(), "file_system": first_line("stat", "-f", "-c", "%T", directory),
        "fdatasync_us": sync_microseconds(directory),
        "nginx": first_line(shutil.which("nginx") or "/usr/sbin/nginx", "-v"),
        "wrk": first_line("wrk", "-v").split(" Copyright")[0],
        "clickrelay": first_line(binary, "version"),
    }


def milliseconds(seconds):
    return f"{seconds * 1e3:.2f} ms"


def print_text(results):
    about = results["machine"]
    print(f"{about['clickrelay']}; {about['processor']}, {about['cores']} cores, {about['system']}")
    print(
        f"{about['nginx']}; {about['wrk']}; {about['file_system']}, "
        f"write + fdatasync {about['fdatasync_us']:.0f} us; server and load on one core each"
    )
    print(f"\n{'redirects':<34}{'requests/s':>12}{'p50':>12}{'p99':>12}")
    for connections, both in results["redirects"].items():
        for name, label in (("nginx", "nginx return 302"), ("clickrelay", "clickrelay /c/…")):
            row = both[name]
            failed = f"  {row['failed']} failed" if row["failed"] else ""
            print(
                f"{label + ', ' + connections + ' connections':<34}{row['per_second']:>12,.0f}"
                f"{milliseconds(row['p50']):>12}{milliseconds(row['p99']):>12}{failed}"
            )
        print(f"{'ratio to nginx':<34}{both['ratio']:>12.2f}")
    print()

    def line(label, value):
        print(f"{label:<46}{value:>16}")

    if "postbacks" in results:
        postbacks, deliveries = results["postbacks"], results["deliveries"]
        line("postbacks/s (64 connections)", f"{postbacks['per_second']:,.0f}")
        line("  p50, p99", f"{milliseconds(postbacks['p50'])}, {milliseconds(postbacks['p99'])}")
        line("  not answered 2xx", f"{postbacks['failed']:,}")
        line(
            "postbacks/s while deliveries go out",
            f"{results['postbacks_with_delivery_per_second']:,.0f}",
        )
        line("deliveries/s while postbacks come in", f"{deliveries['per_second']:,.0f}")
        drain = deliveries.get("drain_per_second")
        line("deliveries/s from the backlog alone", f"{drain:,.0f}" if drain else "kept up")
        line("  received", f"{deliveries['received']:,}")
        line("bytes per click on disk", f"{results['bytes_per_click']:.0f}")
        line("ledger bytes per conversion", f"{results['ledger_bytes_per_conversion']:.0f}")
    line("clicks recorded by the redirect rounds", f"{results['clicks_recorded']:,}")
    line("resident memory, idle", f"{results['resident_idle_bytes'] / 2**20:.1f} MiB")
    line("  after the redirects", f"{results['resident_after_redirects_bytes'] / 2**20:.1f} MiB")
    line("  peak", f"{results['resident_peak_bytes'] / 2**20:.1f} MiB")
    line("start, empty directory (median)", milliseconds(statistics.median(results["start_empty_s"])))
    if "start_filled_s" in results:
        line("start with those clicks", milliseconds(statistics.median(results["start_filled_s"])))


def main():
    parser = argparse.ArgumentParser(
        prog="Tests/bench",
        description="Measures Clickrelay beside nginx's bare return 302 on one pinned core: "
        "redirects, postbacks, deliveries, bytes per click, memory, start-up time.",
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds per figure (3); medians are printed")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of each redirect round (5)")
    parser.add_argument(
        "--connections", default="64,256", help="connection counts, comma-separated (64,256)")
    parser.add_argument(
        "--postbacks", type=int, default=60_000, help="postbacks in each of the two phases (60000)")
    parser.add_argument(
        "--limit", type=int, default=60, help="most seconds a postback phase may take (60)")
    parser.add_argument("--only-redirects", action="store_true", help="leave out the conversions")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON, too")
    parser.add_argument("--binary", default=os.environ.get("CLICKRELAY_BINARY"), help="the binary to measure")
    parser.add_argument(
        "--dir", default=os.path.join(ROOT, ".build"),
        help="where the data directories go: a real disk, not a tmpfs (.build)")
    options = parser.parse_args()
    options.connections = [int(one) for one in options.connections.split(",")]
    options.binary = os.path.abspath(options.binary or os.path.join(ROOT, ".build/release/clickrelay"))
    if not os.access(options.binary, os.X_OK):
        parser.error(f"no binary at {options.binary}: run sh Tests/bench")
    if len(os.sched_getaffinity(0)) < 2:
        say("only one core here: server and load share it, and the figures mean little")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, hard), hard))

    # SIGTERM unwinds like Ctrl-C, so that no child is left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    cores = Cores()
    with contextlib.ExitStack() as stack:
        os.makedirs(options.dir, exist_ok=True)
        directory = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="bench-", dir=options.dir))
        results = {"machine": machine(directory, options.binary), "redirects": {}}
        say("redirects")
        bench_redirects(stack, options, cores, directory, results)
        if not options.only_redirects:
            say("conversions")
            bench_conversions(stack, options, cores, directory, results)
    print_text(results)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
