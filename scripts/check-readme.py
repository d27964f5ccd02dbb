"""Holds the README to its word, against a running pair that ana, ben, cem and dee are new to.

    check-readme.py INVITATION_PORT CONNECTION_PORT [--write]

Runs every block of commands, and compares what comes with the block of output that follows it, but for ids, times and tokens; --write
puts what came there instead. Also: the program shown is the one in clients/, every reason of a refusal is named, every key of the configuration
that is named is one, and no page links to a file that is not there. Deliberately absent: the commands that start and test the pair.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
MARK = "-----8<-----"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = ("make run", "make test")
CHANGING = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
]


def steady(text):
    """Output without what differs from run to run."""
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text.strip()


def run(scripts, ports):
    """What each script of one session says, on both streams."""
    session = "\n".join(f"{{\n{script}\n}} 2>&1\necho '{MARK}'" for script in scripts)
    for usual, port in zip(("50051", "50052"), ports, strict=True):
        session = session.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{port}")
    ran = subprocess.run(["bash", "-c", session], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=120)
    return ran.stdout.split(f"{MARK}\n")[:-1]


def tour(text, ports, write):
    """Runs the commands of the README; gives it with what they said, and what was not as shown."""
    blocks = list(BLOCK.finditer(text))
    shells = [number for number, block in enumerate(blocks) if block[1] == "sh" and block[2].strip() not in NOT_RUN]
    said = run([blocks[number][2] for number in shells], ports)
    assert len(said) == len(shells), "a block ended the session"
    wrong = []
    for number, came in reversed(list(zip(shells, said, strict=True))):
        after = blocks[number + 1]
        if after[1] != "text":
            continue
        if write:
            text = text[: after.start(2)] + came.strip() + "\n" + text[after.end(2) :]
        elif steady(came) != steady(after[2]):
            wrong.append(f"{blocks[number][2]}shows\n{after[2]}but says\n{came}")
    return text, wrong


def named(text):
    """What the README should name and does not, or names and should not."""
    shown = [block[2] for block in BLOCK.finditer(text) if block[1] == "python"]
    wrong = [] if shown == [(ROOT / "clients/python/hello.py").read_text()] else ["clients/python/hello.py is another than shown"]
    keys = set(re.findall(r"`(ACQUAINT_\w+)`", (ROOT / "docs/configuration.md").read_text()))
    wrong += [f"{key} is no key" for key in set(re.findall(r"\b(ACQUAINT_\w+)", text)) - keys]
    reasons = re.findall(r"ERROR_REASON_(\w+) = [1-9]", (ROOT / "proto/acquaint/error/v1/error_reason.proto").read_text())
    return wrong + [f"{reason} is not named" for reason in reasons if f"`{reason}`" not in text]


def links():
    """Links between pages that lead nowhere."""
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text()):
            if not (page.parent / target).exists():
                yield f"{page.name} links to {target}, which is not there"


def main():
    """Says what is wrong, and fails if anything is."""
    write = "--write" in sys.argv
    text, wrong = tour(README.read_text(), sys.argv[1:3], write)
    if write:
        README.write_text(text)
    wrong += [*named(text), *links()]
    print("\n".join(wrong) or "as shown")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
