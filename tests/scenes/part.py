#!/usr/bin/python3
"""Plays one part of the scenes before the built program, and fails where a bar is missed.

The scenes stand beside this tree, in ../shared/scenes; without them a part is skipped, which it says. GREETER_SEED and GREETER_FACES (a
folder with one of photos a person) choose other people. The figures stay in .runtime/scenes/PART.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from bars import BARS, BARS_OF_VOICES, missed  # noqa: E402
from parts import PARTS, Part  # noqa: E402

TREE = Path(__file__).resolve().parents[2]
SCENES = TREE / "../shared/scenes"
WORK = TREE / ".runtime/scenes"
PYTHON = TREE / ".runtime/scenes-python"


def output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def left_out() -> set[str]:
    """Scenes that no part plays."""
    listed = output(PYTHON / "bin/python", SCENES / "run.py", "--list").splitlines()
    played = {scene for name, part in PARTS.items() if name.startswith("scenes-") for scene in part.names}
    return {line.split()[0] for line in listed} - played


def play(name: str, part: Part, faces: Path) -> dict:
    """The figures of all scenes of a part."""
    figures = WORK / f"{name}.json"
    settings = [word for setting in part.settings for word in ("--set", setting)]
    subprocess.run([PYTHON / "bin/python", SCENES / "run.py", "--greeter", TREE / "target/release/greeter", "--faces", faces, "--work", WORK,
                    "--trials", str(part.trials), "--seed", os.environ.get("GREETER_SEED", "1"), *settings, "--json", figures, *part.names],
                   check=True, cwd=TREE)
    figures = json.loads(figures.read_text())
    if "reflection" in figures["scenes"]:
        figures["scenes"]["reflection"]["greeted_together"] = greeted_together("reflection")
    return figures


def greeted_together(scene: str) -> int:
    """Greetings for more than one visitor in a scene's newest results."""
    newest = max(WORK.glob(f"results/{scene}-*"), key=lambda folder: folder.stat().st_mtime)
    events = [json.loads(line) for file in newest.glob("*/events") for line in file.read_text().splitlines()]
    return sum(len(event.get("visitors", [])) > 1 for event in events if event["event"] == "greeting_started")


def main() -> int | str:
    if sys.argv[1:] == ["--list"]:
        for name, part in PARTS.items():
            print(f"{name:14} {', '.join(part.names)}" + f" ({', '.join(part.settings)})" * bool(part.settings))
        return 0
    [name] = sys.argv[1:]
    faces = Path(os.environ.get("GREETER_FACES", TREE / "../shared/eval/lfw-dev"))
    for needed in (SCENES, faces):
        if not needed.is_dir():
            print(f"skipped: {name} needs {needed}, which is not on this machine")
            return 0
    subprocess.run([TREE / "scripts/private-python.sh", PYTHON, SCENES / "requirements.txt"], check=True)
    if forgotten := left_out():
        return f"no part plays {', '.join(sorted(forgotten))}: add it in tests/scenes/parts.py"
    WORK.mkdir(parents=True, exist_ok=True)
    scenes = play(name, PARTS[name], faces)["scenes"]
    for scene, figures in scenes.items():
        if (lost := figures["frames_lost"] or 0) > 0.05:
            print(f"{scene}: {lost:.0%} of the frames were not looked at: this machine is too busy for its times to mean much")
    faults = missed(scenes, BARS_OF_VOICES if name.startswith("voices-") else BARS)
    return "\n".join(["missed:", *faults]) if faults else 0


if __name__ == "__main__":
    sys.exit(main())
