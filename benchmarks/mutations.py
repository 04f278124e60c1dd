"""Valid files made invalid: bytes changed at random, and structures changed where it hurts."""

import copy
import io
import json
import random
import struct
import zipfile

# Declared sizes, numbers and names that a reader must not believe.
NUMBERS = (0, -1, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64, 10**30, -(2**63), 0.5, 1e308)
VALUES = (
    *NUMBERS,
    float("nan"),
    float("inf"),
    None,
    True,
    "",
    "../../../etc/passwd",
    "/etc/passwd",
    "a\0b",
    "é" * 300,
    "L6H6",
    "L99999999H99999999",
    [],
    {},
    [[[]]],
    [1, 2, 3],
    {"a": {"b": []}},
)


def mutated_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flips, cuts, inserts, repeats and overwrites at random places, once to four times."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        place = rng.randrange(len(data) + 1)
        # Headers are short, and most of what a reader believes is in them.
        if rng.random() < 0.5:
            place = min(place, rng.randrange(128))
        kind = rng.randrange(6)
        if kind == 0 and data:
            data[min(place, len(data) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[place:]
        elif kind == 2:
            data[place:place] = rng.randbytes(rng.choice((1, 4, 64)))
        elif kind == 3:
            del data[place : place + rng.choice((1, 4, 64))]
        elif kind == 4:
            data[place:place] = data[place : place + rng.choice((8, 256))]
        else:
            extreme = rng.choice((b"\xff", b"\0", b"\x7f")) * rng.choice((1, 2, 4, 8))
            data[place : place + len(extreme)] = extreme
    return bytes(data)


def mutated_value(value: object, rng: random.Random) -> object:
    """A JSON value with one to three of its parts replaced, removed, renamed or repeated."""
    holder = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 2, 3))):
        container: dict | list = holder
        key: object = 0
        while isinstance(container[key], dict | list) and container[key] and rng.random() < 0.85:
            container = container[key]
            key = rng.choice([*container] if isinstance(container, dict) else range(len(container)))
        kind = rng.random()
        if kind < 0.75 or container is holder:
            container[key] = copy.deepcopy(rng.choice(VALUES))
        elif kind < 0.85:
            del container[key]
        elif isinstance(container, dict):
            container[rng.choice(("", "a", "../x", str(key) + "s"))] = container[key]
        else:
            container.extend([container[key]] * rng.choice((1, 50)))
        if not holder:
            return None
    return holder[0]


def mutated_json(content: bytes, rng: random.Random) -> bytes:
    """A JSON text, its values changed or its bytes; sometimes nested deeper than can be read."""
    kind = rng.random()
    if kind < 0.2:
        return mutated_bytes(content, rng)
    if kind < 0.23:
        return b"[" * 10**5
    if kind < 0.26:
        return b"1" * 10**4
    return json.dumps(mutated_value(json.loads(content), rng)).encode()


def mutated_safetensors(content: bytes, rng: random.Random) -> bytes:
    """A safetensors file, its header changed or its bytes."""
    if rng.random() < 0.4:
        return mutated_bytes(content, rng)
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    about = header.get("__metadata__", {})
    structured = [name for name, text in about.items() if text[:1] == "{"]
    if structured and rng.random() < 0.6:
        name = rng.choice(structured)
        about[name] = json.dumps(mutated_value(json.loads(about[name]), rng))
    else:
        header = mutated_value(header, rng)
    text = json.dumps(header).encode()
    declared = rng.choice((len(text),) * 5 + (2**63, 2**32, 0))
    return struct.pack("<Q", declared) + text + data


def mutated_zip(content: bytes, rng: random.Random) -> bytes:
    """An archive: a member changed, renamed or left out, or the bytes of the archive changed."""
    if rng.random() < 0.4:
        return mutated_bytes(content, rng)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        chosen = rng.choice(old.namelist())
        for name in old.namelist():
            member = old.read(name)
            if name == chosen:
                kind = rng.random()
                if kind < 0.1:
                    continue
                if kind < 0.2:
                    name = rng.choice(("../../escaped", "/tmp/escaped", "x" * 300))  # noqa: S108
                elif name.endswith(".json"):
                    member = mutated_json(member, rng)
                else:
                    member = mutated_bytes(member, rng)
            new.writestr(name, member)
    return made.getvalue()


def mutated_text(text: str, rng: random.Random) -> str:
    """A short text, such as a size, with characters changed, added and left out."""
    letters = [*text]
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        place = rng.randrange(len(letters) + 1)
        kind = rng.randrange(4)
        if kind == 0 and letters:
            del letters[place % len(letters)]
        elif kind == 1:
            letters.insert(
                place, rng.choice([*"LHx,.-+eE0123456789 \t\n\0é[]{}:=*/\\'\"", "9" * 30])
            )
        elif kind == 2:
            letters[place:place] = letters[: rng.choice((1, 3))]
        elif letters:
            letters[place % len(letters)] = rng.choice([*"LHx,.-0123456789"])
    return "".join(letters)
