"""Holds Dockerfile, docker-compose.yml and the pages' commands for containers to what the rest of the repository says, without Docker and without a network.

Every ACQUAINT_ variable is a key of the service that is given it; the build is given every package of the workspace, which Cargo reads whole; every
image is pinned to a version, the compiler's is the one that Cargo.toml asks for; the name of a service leads to all its processes; what the pages'
commands name is there; ports are published for this machine alone; no secret stands in a file; services get longer to end than they drain.
Deliberately absent: whether it works (`docker compose up` tells).
"""

import pathlib
import re
import shlex
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "docker-compose.yml").read_text()
CARGO = (ROOT / "Cargo.toml").read_text()
IGNORE = (ROOT / ".dockerignore").read_text()
PINNED = re.compile(r"[\w./-]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")
ARGUMENT = re.compile(r"^ARG (\w+)=(\S+)$", re.MULTILINE)
PAGES = ("README.md", "docs/operations.md")
# Options of the commands there that are followed by a value.
VALUED = ("--volume", "--entrypoint")


def keys():
    """The variables of each service, and the default of each."""
    found = {}
    for part in re.split(r"^## ", (ROOT / "docs/configuration.md").read_text(), flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| `[\w.]+` \| `(ACQUAINT_\w+)` \|.*\| `([^`|]*)` \| [^|]* \|$", part, re.MULTILINE)
        every = re.findall(r"`(ACQUAINT_\w+)`", part)
        found[part.split()[0]] = dict.fromkeys(every) | dict(rows)
    return found


def blocks(text, opening):
    """The parts of a file that begin with a line that matches, each under its name."""
    parts = re.split(opening, text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def variables(known):
    """Variables that the service they are given to does not have."""
    services = blocks(DOCKERFILE, r"^FROM \S+ AS (\S+)$")
    shared, own = re.split(r"^services:$", COMPOSE, flags=re.MULTILINE)
    services += [*blocks(shared, r"^x-([\w-]+):.*$"), *blocks(own, r"^  ([\w-]+):$")]
    seen = 0
    for name, text in services:
        text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
        of = [service for service in known if service.split("-")[0] in name] or list(known)
        for variable in re.findall(r"\b(ACQUAINT_\w+)[:=]", text):
            seen += 1
            yield from (f"{name}: {variable} is no key of {service}" for service in of if variable not in known[service])
    if seen < 10:
        yield f"only {seen} variables were found"


def packages():
    """Packages of the workspace that the build is not given. Cargo reads all of their manifests, and looks for sources, whichever is built."""
    given = re.findall(r"^!(\S+)$", IGNORE, re.MULTILINE)
    members = tomllib.loads(CARGO)["workspace"]["members"]
    for needed in ("Cargo.toml", "Cargo.lock", *(f"{member}/{part}" for member in members for part in ("Cargo.toml", "src"))):
        if not any(needed == path or needed.startswith(f"{path}/") for path in given):
            yield f".dockerignore: leaves {needed} out of what is built"


def versions():
    """Images and programs that are not pinned, or not to the version that stands elsewhere."""
    arguments = dict(ARGUMENT.findall(DOCKERFILE))
    rust = re.search(r'^rust-version = "([\d.]+)"', CARGO, re.MULTILINE)[1]
    version = re.search(r'^version = "([\d.]+)"', CARGO, re.MULTILINE)[1]
    if not re.fullmatch(rf"rust:{re.escape(rust)}\.\d+-slim-\w+", arguments["RUST_IMAGE"]):
        yield f"Dockerfile: RUST_IMAGE is {arguments['RUST_IMAGE']}, and Cargo.toml asks for Rust {rust}"
    if not re.fullmatch(r"\d+\.\d+\.\d+", arguments["CARGO_CHEF_VERSION"]):
        yield f"Dockerfile: cargo-chef is not pinned: {arguments['CARGO_CHEF_VERSION']}"
    if arguments["VERSION"] != version:
        yield f"Dockerfile: VERSION is {arguments['VERSION']}, and Cargo.toml says {version}"
    stages = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE)
    for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE):
        if base not in (*stages, "${RUST_IMAGE}", "scratch"):
            yield f"Dockerfile: begins from {base}, which is no argument at its head"
    images = re.findall(r"^\s*image: (\S+)$", COMPOSE, re.MULTILINE)
    for image in images:
        if not PINNED.fullmatch(image):
            yield f"docker-compose.yml: {image} is not pinned to a version"
        if image.startswith("acquaint-") and not image.endswith(f":{version}"):
            yield f"docker-compose.yml: {image}, and Cargo.toml says {version}"
    if len(images) < 5:
        yield f"docker-compose.yml: only {len(images)} images were found"
    for name, pinned in re.findall(r"^\s*image: ((?:postgres|redis)):(\S+)$", COMPOSE, re.MULTILINE):
        if len(set(re.findall(rf"image: {name}:(\S+)", COMPOSE))) > 1:
            yield f"docker-compose.yml: several versions of {name}, {pinned} among them"


def replicas():
    """Further processes of a service that its name does not lead to."""
    _, own = re.split(r"^services:$", COMPOSE, flags=re.MULTILINE)
    seen = 0
    for name, text in blocks(own, r"^  ([\w-]+):$"):
        if further := re.fullmatch(r"(.+)-\d+", name):
            seen += 1
            if f"services: {{aliases: [{further[1]}]}}" not in text:
                yield f"docker-compose.yml: who looks up {further[1]} does not find {name}"
    if not seen:
        yield "docker-compose.yml: no service of several processes was found"


def named(verb, words):
    """The services and the volumes that the words after a verb of `docker compose` name."""
    services, volumes, words = [], [], list(words)
    while words:
        word = words.pop(0)
        if word in VALUED:
            value = words.pop(0)
            volumes += [value.split(":")[0]] if word == "--volume" and not value.startswith(("/", ".")) else []
        elif verb == "cp":
            services += [word.split(":")[0]] if ":" in word else []
        elif word in "<>|;":
            break
        elif not word.startswith("-"):
            services.append(word)
            if verb in ("run", "exec"):
                break
    return services, volumes


def commands():
    """What commands of the pages name and docker-compose.yml does not have."""
    _, own = re.split(r"^services:$", COMPOSE, flags=re.MULTILINE)
    own, volumes = re.split(r"^volumes:$", own, flags=re.MULTILINE)
    has = {
        "service": set(re.findall(r"^  ([\w-]+):$", own, re.MULTILINE)),
        "profile": {"*"}.union(*(found.split(", ") for found in re.findall(r"profiles: \[(.*)\]", own))),
        "volume": {f"acquaint_{name}" for name in re.findall(r"^  ([\w-]+):", volumes, re.MULTILINE)},
    }
    seen = 0
    for page in PAGES:
        for command in re.findall(r"\bdocker (?:compose|volume rm)\b[^`\n#]*", (ROOT / page).read_text()):
            first, verb, *words = shlex.split(command)[1:] + [""]
            names = {"service": [], "profile": [], "volume": []}
            if first == "volume":
                names["volume"] = words[:-1]
            else:
                while verb == "--profile":
                    names["profile"].append(words[0])
                    verb, words = words[1], words[2:]
                names["service"], names["volume"] = named(verb, filter(None, words))
            for kind, of_kind in names.items():
                seen += len(of_kind)
                yield from (f"{page}: there is no {kind} {name}: {command.strip()}" for name in of_kind if name not in has[kind])
    if seen < 30:
        yield f"only {seen} names were found in the pages' commands"


def safety(known):
    """What would be reachable from elsewhere, cut short, or known to whoever reads the files."""
    ports = re.findall(r"^\s*ports: (.*)$", COMPOSE, re.MULTILINE)
    if not ports:
        yield "docker-compose.yml: no ports were found"
    yield from (f"docker-compose.yml: publishes {port} beyond this machine" for port in ports if not re.fullmatch(r'\["127\.0\.0\.1:\d+:\d+"\]', port))
    grace = re.search(r"x-service: &service\n(?:  .*\n)*?  stop_grace_period: (\d+)s", COMPOSE)
    for service, own in known.items():
        drain = int(own["ACQUAINT_SERVER_DRAIN_SECONDS"])
        if not grace or int(grace[1]) < drain + 10:
            yield f"docker-compose.yml: stop_grace_period is too short for {service}, which drains for {drain} s"
    for path in (".env", "Dockerfile", "docker-compose.yml", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy/compose").iterdir())):
        text = (ROOT / path).read_text()
        if re.search(r"acq_[\w-]{43}|://[^/\s:@]+:[^/\s@$]+@|(?i:password|token|secret)\w*[:=]\s*['\"]?[A-Za-z0-9+/_-]{16,}['\"]?\s*$", text, re.MULTILINE):
            yield f"{path} seems to have a secret in it"
    if re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) != ["65532:65532"]:
        yield "Dockerfile: services must run as 65532"


def main():
    """Says what is wrong, and fails if anything is."""
    known = keys()
    assert set(known) == {"invitation-service", "connection-service"}, known.keys()
    wrong = [*variables(known), *packages(), *versions(), *replicas(), *commands(), *safety(known)]
    print("\n".join(wrong) or "containers are as the rest says")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
