"""What is sent: wrk, clicks and postbacks, and the receiver that counts what we send on."""

import http.client
import random
import re
import socket
import statistics
import subprocess
import tempfile

from harness import start_nginx

CLICK_ID = re.compile(rb"[?&]s2=([0-9a-z]{26})")
AGENT = (
    "Mozilla/5.0 (Linux; Android 14; SM-A546B) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.{}.{} Mobile Safari/537.36"
)


def seconds_of(text):
    """wrk's `1.23ms`, `950.00us`, `2.00s`, `1.10m` in seconds."""
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s|m|h)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}[unit]


# Each connection rests between two requests, for no time up to as many milliseconds as asked for.
PACED = """
local most
function init(arguments) most = tonumber(arguments[1]); math.randomseed(7) end
function delay() return math.random(0, most) end
"""


def run_wrk(core, port, path, connections, seconds, script=None, arguments=(), text=None):
    """- text: a script by itself, in place of one in a file."""
    if text is not None:
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(text)
            file.flush()
            return run_wrk(core, port, path, connections, seconds, file.name, arguments)
    command = wrk_command(core, port, path, connections, seconds, script, arguments)
    result = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    if result.returncode != 0:
        raise SystemExit(f"wrk failed: {result.stdout}{result.stderr}")
    return wrk_figures(result.stdout)


def wrk_command(core, port, path, connections, seconds, script=None, arguments=()):
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
               "--latency", "-H", "User-Agent: " + AGENT.format(6478, 71),
               "-H", "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"]
    if script:
        command += ["-s", script]
    command.append(f"http://127.0.0.1:{port}{path}")
    if arguments:
        command += ["--", *arguments]
    return command


def wrk_figures(text):
    """What wrk has printed. Slow answers, its timeouts, are not among the failed requests."""
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    if not rate:
        raise SystemExit(f"wrk failed: {text}")
    percentile = {
        name: seconds_of(value)
        for name, value in re.findall(r"^\s+([0-9.]+)%\s+([0-9.]+\w+)$", text, re.M)
    }
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", text)
    return {
        "per_second": float(rate.group(1)), "p50": percentile.get("50", 0.0),
        "p99": percentile.get("99", 0.0),
        "failed": (int(refused.group(1)) if refused else 0)
        + (sum(map(int, broken.groups())) if broken else 0),
        "requests": int(re.search(r"(\d+) requests in", text).group(1)),
    }


def medians(rounds):
    return {
        name: statistics.median(r[name] for r in rounds)
        for name in ("per_second", "p50", "p99", "processor_us") if name in rounds[0]
    } | {name: sum(r[name] for r in rounds) for name in ("failed", "requests")} | {
        "rounds": [r["per_second"] for r in rounds]}


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

    def __init__(self, stack, directory, core, port=None, certificate=None):
        self.port = start_nginx(stack, directory, core, "return 200 OK;", port, certificate)
        with open(f"{directory}/status-port") as file:
            status_port = int(file.read())
        self.connection = http.client.HTTPConnection("127.0.0.1", status_port, timeout=10)
        self.own = 0

    def counters(self):
        """Connections accepted and requests answered, this connection and its requests left out."""
        self.own += 1
        self.connection.request("GET", "/bench-status")
        text = self.connection.getresponse().read().decode()
        # "server accepts handled requests\n A H R"
        accepted, _, requests = text.split("\n")[2].split()
        return int(accepted) - 1, int(requests) - self.own

    def count(self):
        return self.counters()[1]


def enter_conversions(tracker, clicks, count, prefix, rows=1000):
    """Has `count` conversions recorded through the API, each with an order of its own.

    Many of them share a click: what is measured comes after them.
    """
    made = 0
    while made < count:
        batch = [
            {"click_id": clicks[number % len(clicks)], "txid": f"{prefix}{number:08d}",
             "payout": f"{number % 90 + 1}.{number % 100:02d}", "status": "approved"}
            for number in range(made, min(made + rows, count))
        ]
        answer = tracker.api("POST", "/conversions", batch)
        bad = [item for item in answer["items"] if item["verdict"] != "accepted"]
        if bad:
            raise SystemExit(f"a conversion was not accepted: {bad[0]}")
        made += len(batch)
