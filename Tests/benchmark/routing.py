"""What routing costs: a campaign with fifty rules, places, caps and known visitors beside one that
has a path and no more, with visitors who differ."""

import os
import random

from harness import Tracker, say
from load import AGENT, medians, run_wrk
from places import write_places
from redirects import PATH

ROUTED_PATH = PATH.replace("/c/summer?", "/c/routed?")
RULES = 50


def condition(number):
    """None of them takes a visitor of the benchmark but the last."""
    kinds = [
        {"country": ["DE", "AT", "CH"], "device": "mobile"},
        {"os": "iOS", "os_version": {"range": ["14", str(15 + number % 4)]}},
        {"browser": ["Samsung Internet", "Firefox"], "language": ["de", "fr"]},
        {"user_agent": {"contains": ["Instagram", "FBAN", f"App/{number}"]}},
        {"param:keyword": {"in": [f"word {number}", "other shoes"]}, "region": "TX"},
        {"any": [{"referrer_domain": f"pub{number}.example"}, {"var1": str(number)}]},
        {"country": "US", "city": [f"Town {number}", "Springfield"]},
        {"device": ["desktop", "tablet"], "hour": {"range": [0, 23]}},
        {"ip": ["192.0.2.0/24", f"198.51.{number}.0/24", "2001:db8::/32"]},
        {"header:x-requested-with": {"exists": True}, "country": {"not_in": ["CA", "MX"]}},
    ]
    if number == RULES - 1:
        return {"country": "US", "device": "mobile", "os": "Android"}
    return kinds[number % len(kinds)]


def set_up_routed(tracker):
    """The campaign `routed`, and the file that knows where this machine is."""
    tracker.api(
        "POST", "/offers",
        {"key": "capped", "name": "Capped", "network": "net", "overflow_offer": "fit",
         "traffic_caps": {"clicks_per_day": 1_000_000_000},
         "url": "https://offer.example/land?s2={click_id}&zone={var1}&country={country}"},
    )
    paths = [{"weight": 100, "offers": [{"offer": "capped"}]}]
    tracker.api(
        "POST", "/campaigns",
        {"key": "routed", "name": "routed", "source": "push-summer", "cost": {"model": "param"},
         "uniqueness": {"scope": "campaign", "window_hours": 24},
         "flow": {
             "rules": [{"name": f"rule {number}", "when": condition(number), "paths": paths}
                       for number in range(RULES)],
             "paths": paths}})
    os.makedirs(f"{tracker.data}/geo", exist_ok=True)
    write_places(f"{tracker.data}/geo/bench-city.mmdb")
    tracker.stop()
    tracker.start()


# Each visitor has an address and an agent: what differs costs the plain campaign as well.
WRK_VISITORS = """
local requests, position = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do
    local address, agent = line:match("^(%S+) (.*)$")
    wrk.headers["X-Forwarded-For"], wrk.headers["User-Agent"] = address, agent
    requests[#requests + 1] = wrk.format("GET")
  end
end
function request()
  position = position % #requests + 1
  return requests[position]
end
"""


def visitors_file(directory, count=2000):
    choose = random.Random(11)
    path = f"{directory}/visitors"
    with open(path, "w") as file:
        for _ in range(count):
            agent = AGENT.format(choose.randrange(6000, 6100), choose.randrange(10))
            file.write(f"127.0.0.{choose.randrange(1, 255)} {agent}\n")
    return path


def bench_routing(stack, options, cores, directory, results):
    tracker = Tracker(stack, options.binary, f"{directory}/routing", cores.server)
    tracker.environment["CLICKRELAY_TRUSTED_PROXIES"] = "127.0.0.0/8"
    tracker.start()
    tracker.set_up()
    set_up_routed(tracker)
    script = f"{directory}/visitors.lua"
    with open(script, "w") as file:
        file.write(WRK_VISITORS)
    visitors = visitors_file(directory)
    connections = max(options.connections)
    for path in (PATH, ROUTED_PATH):
        run_wrk(cores.load, tracker.port, path, connections, 1, script, [visitors])  # warm
    rounds = {"plain": [], "routed": []}
    for number in range(options.rounds):
        for name, path in (("plain", PATH), ("routed", ROUTED_PATH)):
            say(f"  {connections} connections, round {number + 1}: {name}")
            rounds[name].append(
                run_wrk(
                    cores.load, tracker.port, path, connections, options.seconds, script,
                    [visitors]))
    both = {name: medians(measured) for name, measured in rounds.items()}
    both["ratio"] = both["routed"]["per_second"] / both["plain"]["per_second"]
    report = tracker.api("GET", "/report?group=campaign,country,device")
    both["placed"] = sum(
        row["clicks"] for row in report["rows"]
        if row["campaign"] == "routed" and row["country"] == "US" and row["device"] == "mobile")
    results["routing"] = both
    tracker.stop()
