"""``python tests/supply_chain.py``: known vulnerabilities of the locked requirements, and their licences.

The first asks a service over the network. Where that is not to be had, it says how many packages were not
looked up and passes: a machine without a network cannot be the one that finds this out. Exit code 1: a
package with a known vulnerability, or with a licence that nobody has looked at.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
SECONDS = 240
LOOKED_AT = (  # parts of licence names under which a package may be installed beside this one
    *("mit", "bsd", "apache", "isc", "psf", "python software foundation", "mpl", "mozilla", "0bsd", "zlib"),
    *("cc0", "unlicense", "hpnd", "lgpl", "lesser general public", "bsl-1.0", "public domain"),
    "nvidia",  # CUDA's libraries, which PyTorch's own wheels bring
)
NAMED_BY_HAND = {"cuda-toolkit": "NVIDIA's list of the same libraries; its metadata names no licence"}


def vulnerable() -> list[str]:
    """Package, version and number of each known vulnerability; prints how many packages were looked up."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(LOCK), "--require-hashes", "--disable-pip"]
    try:
        done = subprocess.run(
            [*command, "--timeout", "8", "--progress-spinner", "off", "-f", "json"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        found = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        print("vulnerabilities: not looked up, the service does not answer")
        return []
    skipped = [one["name"] for one in found if "skip_reason" in one]
    print(f"vulnerabilities: {len(found) - len(skipped)} of {len(found)} packages looked up")
    if skipped:
        print(f"  not looked up (unknown to the service that this machine reaches): {len(skipped)}")
    return [f"{one['name']} {one['version']}: {bad['id']}" for one in found for bad in one.get("vulns", ())]


def licences() -> list[str]:
    """Installed packages of the lock whose licence nobody has looked at; prints the list."""
    command = [sys.executable, "-m", "piplicenses", f"--python={sys.executable}", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    wanted = locked()
    listed = [one for one in json.loads(done.stdout) if one["Name"].lower().replace("_", "-") in wanted]
    for name, count in Counter(one["License"].splitlines()[0][:70] for one in listed).most_common():
        print(f"  {count:4d}  {name}")
    print(f"licences: {len(listed)} installed packages of the lock")
    return [
        f"{one['Name']}: {one['License']}"
        for one in listed
        if not (looked_at(one["License"]) or one["Name"] in NAMED_BY_HAND)
    ]


def looked_at(licence: str) -> bool:
    """Whether a licence is one of those that were looked at; a stronger copyleft is none."""
    said = licence.lower()
    strong = "gpl" in said.replace("lgpl", "") or "general public" in said.replace(
        "lesser general public", ""
    )
    return any(part in said for part in LOOKED_AT) and not (strong and "lesser" not in said)


def locked() -> dict[str, str]:
    """Package → version of the lock file."""
    lines = [line.split(" ")[0] for line in LOCK.read_text(encoding="utf-8").splitlines()]
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {name.split("[")[0]: version for name, version in pairs}


if __name__ == "__main__":
    bad = vulnerable() + licences()
    for line in bad:
        print(f"look at this: {line}", file=sys.stderr)
    sys.exit(bool(bad))
