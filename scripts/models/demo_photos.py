"""Makes the frames that a replayed camera shows as visits: 1280x720, an empty hall, people standing and moving gently.

File names say the order and how long each is shown: 101-obama@0.5s.jpg. Every frame is computed, nothing is random.
"""
import argparse
import math
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

WIDTH, HEIGHT = 1280, 720
VIEWS = 10               # frames a visit
VIEW_SECONDS = 0.5
EMPTY_SECONDS = 3
QUALITY = 85

# The middle between the eyes and their distance, in pixels of the original photo; half widths of what is cut out around
# the head and around the shoulders, in distances between the eyes.
PHOTOS = {
    "obama2.jpg": {"eyes": (312, 372), "distance": 128, "head": 1.45, "shoulders": 2.2},
    "obama3.jpg": {"eyes": (802, 383), "distance": 121, "head": 1.5, "shoulders": 3.2},
    "biden.jpg": {"eyes": (592, 339), "distance": 124, "head": 1.6, "shoulders": 2.6},
    "astronaut.png": {"eyes": (226, 102), "distance": 41, "head": 1.7, "shoulders": 3.2},
}


def backdrop():
    """A plain wall, a little lighter in the middle, and a floor line far below the faces."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    light = 196 - 26 * np.hypot((x - WIDTH / 2) / WIDTH, (y - HEIGHT * 0.4) / HEIGHT) * 2
    wall = np.stack([light, light + 2, light + 5], 2)
    wall[HEIGHT - 60:] *= 0.72
    return Image.fromarray(np.clip(wall, 0, 255).astype(np.uint8))


def cut_out(photo, place):
    """A soft-edged mask of head and shoulders."""
    (x, y), unit = place["eyes"], place["distance"]
    mask = Image.new("L", photo.size, 0)
    head, shoulders = (int(place[part] * unit) for part in ("head", "shoulders"))
    ImageDraw.Draw(mask).ellipse((x - head, int(y - 1.8 * unit), x + head, int(y + 2.6 * unit)), fill=255)
    mask.paste(255, (x - shoulders, int(y + 1.9 * unit), x + shoulders, photo.height))
    return mask.filter(ImageFilter.GaussianBlur(0.12 * unit))


def relit_copy(photo, mask, place):
    """The changed copy of the only photo there is: shrunk to 70 %, mirrored, darker, warmer and lit from one side."""
    size = [round(n * 0.7) for n in photo.size]
    small = ImageOps.mirror(photo.resize(size, Image.LANCZOS))
    pixels = np.asarray(small, float) / 255
    side = np.linspace(1.1, 0.75, size[0])[None, :, None]
    pixels = np.clip(pixels ** 1.15 * side * np.array([1.04, 1.0, 0.92]), 0, 1)
    eyes = (size[0] - place["eyes"][0] * 0.7, place["eyes"][1] * 0.7)
    changed = dict(place, eyes=eyes, distance=place["distance"] * 0.7)
    return Image.fromarray((pixels * 255).astype(np.uint8)), ImageOps.mirror(mask.resize(size, Image.LANCZOS)), changed


class Person:
    """Someone who can be put into a frame."""

    def __init__(self, folder, file, changed=False):
        self.place = PHOTOS[file]
        self.photo = Image.open(folder / file).convert("RGB")
        self.mask = cut_out(self.photo, self.place)
        if changed:
            self.photo, self.mask, self.place = relit_copy(self.photo, self.mask, self.place)

    def stand(self, frame, at, distance, light):
        """Pastes the person with the middle of the eyes at `at`, `distance` pixels between them, `light` times as bright."""
        scale = distance / self.place["distance"]
        size = [round(n * scale) for n in self.photo.size]
        photo = self.photo.resize(size, Image.LANCZOS).point(lambda value: min(255, round(value * light)))
        corner = [round(a - e * scale) for a, e in zip(at, self.place["eyes"])]
        frame.paste(photo, corner, self.mask.resize(size, Image.BILINEAR))


def sway(view, phase):
    """Where a standing person is in one view: (x, y) in pixels, size and light as factors."""
    angle = 2 * math.pi * view / VIEWS + phase
    return 9 * math.sin(angle), 4 * math.sin(2 * angle), 1 + 0.07 * math.sin(angle + 1), 1 + 0.06 * math.cos(angle)


def visit(walkers, view):
    """One frame; `walkers` is [(photos in turn, (x, y), distance between the eyes, phase)]."""
    frame = backdrop()
    for photos, (x, y), distance, phase in walkers:
        person = photos[view * len(photos) // VIEWS]
        dx, dy, size, light = sway(view, phase)
        person.stand(frame, (x + dx, y + dy), distance * size, light)
    return frame


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("originals", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    given = parser.parse_args()
    speech, standing, stranger = (Person(given.originals, f) for f in ("obama2.jpg", "obama3.jpg", "biden.jpg"))
    collins = Person(given.originals, "astronaut.png", changed=True)
    visits = [
        ("obama", [([speech, standing], (640, 270), 92, 0)]),
        ("collins", [([collins], (650, 300), 66, 1)]),
        ("stranger", [([stranger], (630, 280), 92, 2)]),
        ("obama-and-collins", [([standing], (380, 270), 84, 0), ([collins], (900, 310), 64, 3)]),
    ]
    given.out.mkdir(parents=True, exist_ok=True)
    for old in given.out.glob("*.jpg"):
        old.unlink()
    for number, (name, walkers) in enumerate(visits, 1):
        backdrop().save(given.out / f"{number}00-empty@{EMPTY_SECONDS}s.jpg", quality=QUALITY)
        for view in range(VIEWS):
            visit(walkers, view).save(given.out / f"{number}{view + 1:02}-{name}@{VIEW_SECONDS}s.jpg", quality=QUALITY)
    backdrop().save(given.out / f"{len(visits) + 1}00-empty@{EMPTY_SECONDS}s.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
