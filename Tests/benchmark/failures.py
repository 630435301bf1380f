"""What went wrong in a run, however fast it was."""


def failures(results):
    return [*failed_requests(results), *not_recorded(results), *closed(results)]


def failed_requests(found, place=""):
    """Each count of failed requests that the results hold, by the names that lead to it."""
    if not isinstance(found, dict):
        return
    if found.get("failed"):
        yield f"{place}: {found['failed']:,} requests failed"
    for name, value in found.items():
        yield from failed_requests(value, f"{place} {name}".strip())


def not_recorded(results):
    """What was acknowledged, or waited on disk, and can't be found any more."""
    if "redirects" in results:
        yield from too_few(
            "clicks recorded", results["clicks_recorded"], results["clicks_acknowledged"])
    for one in results.get("conversions", {}).get("rounds", []):
        has = one["recorded"]
        for campaign, row in (
            ("quiet", one["postbacks"]), ("summer", one["postbacks_while_told"])
        ):
            yield from too_few(
                f"conversions of {campaign} recorded", has[campaign],
                row["requests"] - row["failed"])
        yield from too_few(
            "conversions told or waiting to be", one["delivered"]["received"] + has["waiting"],
            has["summer"])
    for scheme, found in results.get("deliveries_alone", {}).items():
        for one in found["rounds"]:
            yield from too_few(f"deliveries over {scheme}", one["received"], one["queued"])
            if not one["is_all_recorded"]:
                yield f"not all deliveries over {scheme} were recorded within the --limit"
    for found in results.get("backlog", []):
        for name in ("neighbour_of_dead", "neighbour_of_busy"):
            if found[name]["lost"]:
                yield f"{name}: {found[name]['lost']} deliveries had not arrived after 30 s"


def closed(results):
    """Memory was read with fewer idle connections than it says."""
    if "stored" in results:
        yield from too_few(
            "idle connections that stay open", results["stored"]["connected"],
            results["stored"]["connected_of"])


def too_few(what, count, expected):
    if count < expected:
        yield f"{what}: {count:,} of {expected:,}"
