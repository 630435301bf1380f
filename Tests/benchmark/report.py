"""The results as text."""

import statistics


def milliseconds(seconds):
    return "none" if seconds is None else f"{seconds * 1e3:.2f} ms"


def mebibytes(count):
    return f"{count / 2**20:.1f} MiB"


def line(label, value):
    print(f"{label:<52}{value:>20}")


def print_text(results):
    about = results["machine"]
    print(f"{about['clickrelay']}; {about['processor']}, {about['cores']} cores, {about['system']}")
    print(
        f"{about['nginx']}; {about['wrk']}; {about['file_system']}, "
        f"write + fdatasync {about['fdatasync_us']:.0f} us; server and load on one core each"
    )
    for part, show in (
        ("redirects", print_redirects), ("routing", print_routing),
        ("instructions", print_instructions), ("conversions", print_conversions),
        ("deliveries_alone", print_deliveries), ("backlog", print_backlog), ("stored", print_stored),
    ):
        if part in results:
            print()
            show(results)


def print_redirects(results):
    print(f"{'redirects':<34}{'requests/s':>12}{'p50':>12}{'p99':>12}")
    for connections, both in results["redirects"].items():
        for name, label in (
            ("nginx", "nginx return 302"), ("nginx_log", "nginx, access log"),
            ("clickrelay", "clickrelay /c/…"),
        ):
            row = both[name]
            failed = f"  {row['failed']} failed" if row["failed"] else ""
            print(
                f"{label + ', ' + connections + ' connections':<34}{row['per_second']:>12,.0f}"
                f"{milliseconds(row['p50']):>12}{milliseconds(row['p99']):>12}{failed}"
            )
        print(f"{'ratio to nginx':<34}{both['ratio']:>12.2f}")
        print(f"{'ratio to nginx with its log':<34}{both['ratio_log']:>12.2f}")
        print(
            f"{'processor time, nginx to ours':<34}{both['ratio_processor']:>12.2f}"
            f"{both['nginx']['processor_us']:>9.1f} us{both['clickrelay']['processor_us']:>9.1f} us")
    half = results["half_load"]
    for name in ("nginx", "clickrelay"):
        row = half[name]
        print(
            f"{'half of that load, ' + name:<34}{row['per_second']:>12,.0f}"
            f"{milliseconds(row['p50']):>12}{milliseconds(row['p99']):>12}")
    scanning = results["scanning"]
    for name, label in (("idle", "no report"), ("scanning", "while reports scan all")):
        row = scanning[name]
        print(
            f"{label:<34}{row['per_second']:>12,.0f}{milliseconds(row['p50']):>12}"
            f"{milliseconds(row['p99']):>12}")
    print(f"{'ratio':<34}{scanning['ratio']:>12.2f}")
    line(
        f"a report over {scanning['clicks']:,} clicks meanwhile",
        milliseconds(scanning["seconds_each"]))
    line("clicks recorded by the redirect rounds", f"{results['clicks_recorded']:,}")
    line("resident memory, idle", mebibytes(results["resident_idle_bytes"]))
    line("  after the redirects", mebibytes(results["resident_after_redirects_bytes"]))
    line("  peak", mebibytes(results["resident_peak_bytes"]))
    line("start, empty directory (median)", milliseconds(statistics.median(results["start_empty_s"])))


def print_routing(results):
    both = results["routing"]
    print(f"{'visitors who differ':<34}{'requests/s':>12}{'p50':>12}{'p99':>12}")
    for name, label in (
        ("plain", "one path"), ("routed", "50 rules, places, caps, known"),
    ):
        row = both[name]
        failed = f"  {row['failed']} failed" if row["failed"] else ""
        print(
            f"{label:<34}{row['per_second']:>12,.0f}{milliseconds(row['p50']):>12}"
            f"{milliseconds(row['p99']):>12}{failed}")
    print(f"{'ratio':<34}{both['ratio']:>12.2f}")
    line("clicks with a place and a device", f"{both['placed']:,}")


def print_instructions(results):
    found = results["instructions"]
    line("instructions per click at first", f"{found['first']:,}")
    for name, label in (("plain", "now"), ("routed", "now, with rules, places, caps and known")):
        row = found[name]
        line(f"  {label}", f"{row['each']:,.0f}")
        for library, each in list(row["each_by_library"].items())[:4]:
            line(f"    in {library}", f"{each:,.0f}")


def print_conversions(results):
    found = results["conversions"]
    postbacks, told = found["postbacks"], found["postbacks_while_told"]
    line("postbacks/s (64 connections)", f"{postbacks['per_second']:,.0f}")
    line("  p50, p99", f"{milliseconds(postbacks['p50'])}, {milliseconds(postbacks['p99'])}")
    line("  not answered 2xx", f"{postbacks['failed']:,}")
    line("postbacks/s while deliveries go out", f"{told['per_second']:,.0f}")
    line("  not answered 2xx", f"{told['failed']:,}")
    line("deliveries/s while postbacks come in", f"{found['delivered_per_second']:,.0f}")
    drained = found["drained_per_second"]
    line("deliveries/s from the backlog alone", f"{drained:,.0f}" if drained else "kept up")
    line("  received", f"{found['delivered']:,}")
    line("bytes per click on disk", f"{found['bytes_per_click']:.0f}")
    line("ledger bytes per conversion", f"{found['ledger_bytes_per_conversion']:.0f}")
    line("start with those clicks", milliseconds(statistics.median(found["start_filled_s"])))


def print_deliveries(results):
    for scheme, found in results["deliveries_alone"].items():
        rounds = found["rounds"]
        line(f"deliveries/s alone, {scheme}", f"{found['per_second']:,.0f}")
        line("  server's processor time for each", f"{found['cpu_us_each']:.1f} us")
        missing = sum(r["queued"] - r["received"] for r in rounds)
        state = "all" if all(r["is_all_recorded"] for r in rounds) else "NOT ALL"
        line("  received twice or not at all", f"{-missing:+,}" if missing else "none")
        line("  recorded", state)
        line("  connections for them", f"{max(r['connections'] for r in rounds)}")


def print_backlog(results):
    for found in results["backlog"]:
        line("deliveries waiting for one host", f"{found['waiting_at_restart']:,}")
        line("  ledger", mebibytes(found["ledger_bytes"]))
        line("  start to ready (median; empty)", "{}; {}".format(
            milliseconds(statistics.median(found["ready_s"])),
            milliseconds(found["ready_empty_s"])))
        line("  start to the first delivery", milliseconds(found["first_delivery_s"]))
        line("  resident when ready (empty)", "{}; {}".format(
            mebibytes(found["resident_ready_bytes"]), mebibytes(found["resident_empty_bytes"])))
        line("  resident while it is dead, peak", "{}; {}".format(
            mebibytes(found["resident_dead_bytes"]),
            mebibytes(found["resident_dead_peak_bytes"])))
        line("  resident while it is emptied, peak", "{}; {}".format(
            mebibytes(found["resident_busy_bytes"]), mebibytes(found["resident_peak_bytes"])))
        line("  deliveries/s queued with it", f"{found['queued_per_second']:,.0f}")
        line("  deliveries/s from it", f"{found['per_second']:,.0f}")
        line("  server's processor time for each", f"{found['cpu_us_each']:.1f} us")
        for name, label in (
            ("neighbour_of_dead", "while it is dead"), ("neighbour_of_busy", "while it is emptied")
        ):
            row = found[name]
            line(f"  another host's delivery {label}: p50, max", "{}, {}".format(
                milliseconds(row["p50"]), milliseconds(row["max"])))
            if row["lost"]:
                line("    not arrived within 30 s", f"{row['lost']}")


def print_stored(results):
    found = results["stored"]
    line("clicks, conversions on disk", f"{found['clicks']:,}, {found['conversions']:,}")
    line("  bytes per click, per conversion", "{:.0f}, {:.0f}".format(
        found["clicks_bytes"] / found["clicks"], found["ledger_bytes"] / found["conversions"]))
    line("  start to ready (median)", milliseconds(statistics.median(found["ready_s"])))
    line("  resident when ready", mebibytes(found["resident_ready_bytes"]))
    line("    after redirects", mebibytes(found["resident_loaded_bytes"]))
    line("    with idle connections", mebibytes(found["resident_connected_bytes"]))
    line("    of them still open", f"{found['connected']:,} of {found['connected_of']:,}")
    for name, label in (("empty", "an empty store"), ("stored", "that one")):
        row = found["redirects"][name]
        line(f"  redirects/s of {label}; p99", "{:,.0f}; {}".format(
            row["per_second"], milliseconds(row["p99"])))
    line("  ratio", f"{found['growth_ratio']:.2f}")
