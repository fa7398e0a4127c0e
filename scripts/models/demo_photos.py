"""Makes the frames that a replayed camera shows as visits: 1280x720, an empty hall, people who stand there and sway.

File names say the order and how long each is shown: 101-obama@0.1s.jpg. Every frame is computed, also the noise of its sensor, which
comes from a fixed seed. A visit has 16 different frames, shown forth and back, so that a clone of the repository stays small.
"""
import argparse
import math
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

WIDTH, HEIGHT = 1280, 720
VIEWS = 16               # different frames of a visit
VISIT = 50               # frames of a visit
VIEW_SECONDS = 0.1
EMPTY = 15               # frames of an empty hall
EMPTY_SECONDS = 0.2
NOISE = 2                # standard deviation, of 255
PATTERNS = 4             # of noise, in turn
QUALITY = 75

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

    def stand(self, frame, at, distance, leans):
        """Pastes the person with the middle of the eyes at `at`, `distance` pixels between them, leaning by so many radians."""
        scale = distance / self.place["distance"]
        size = [round(n * scale) for n in self.photo.size]
        eyes = [e * new / old for e, new, old in zip(self.place["eyes"], size, self.photo.size)]
        c, s = math.cos(leans), math.sin(leans)
        back = (c, s, eyes[0] - c * at[0] - s * at[1], -s, c, eyes[1] + s * at[0] - c * at[1])
        placed = [picture.resize(size, Image.LANCZOS).transform(frame.size, Image.AFFINE, back, Image.BICUBIC)
                  for picture in (self.photo, self.mask)]
        frame.paste(placed[0], (0, 0), placed[1])


def sway(seconds, phase):
    """How a standing person moves: (x, y) in distances between the eyes, size as a factor, radians by which the head leans."""
    return (math.sin(2.1 * seconds + phase) / 20, math.sin(1.3 * seconds + 2 * phase) / 30,
            1 + 0.012 * math.sin(1.1 * seconds + phase), math.radians(1.5 * math.sin(1.7 * seconds + phase)))


def visit(walkers, view):
    """One frame; `walkers` is [(photos in turn, (x, y), distance between the eyes, phase)]."""
    frame = backdrop()
    for photos, (x, y), distance, phase in walkers:
        person = photos[view * len(photos) // VIEWS]
        dx, dy, size, leans = sway(view * VIEW_SECONDS, phase)
        person.stand(frame, (x + dx * distance, y + dy * distance), distance * size, leans)
    return frame


def sensor(frame, number):
    """The frame with a sensor's noise."""
    noise = np.random.RandomState(number % PATTERNS).normal(0, NOISE, (HEIGHT, WIDTH, 1)).round()
    return Image.fromarray(np.clip(np.asarray(frame, np.int16) + noise, 0, 255).astype(np.uint8))


def forth_and_back(turn, count):
    turn %= 2 * count - 2
    return min(turn, 2 * count - 2 - turn)


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
    def empty(number):
        for turn in range(EMPTY):
            name = f"{number}00-empty-{turn + 1:02}@{EMPTY_SECONDS}s.jpg"
            sensor(backdrop(), turn).save(given.out / name, quality=QUALITY)

    for number, (name, walkers) in enumerate(visits, 1):
        empty(number)
        views = [sensor(visit(walkers, view), view) for view in range(VIEWS)]
        for turn in range(VISIT):
            view = views[forth_and_back(turn, VIEWS)]
            view.save(given.out / f"{number}{turn + 1:02}-{name}@{VIEW_SECONDS}s.jpg", quality=QUALITY)
    empty(len(visits) + 1)


if __name__ == "__main__":
    main()
