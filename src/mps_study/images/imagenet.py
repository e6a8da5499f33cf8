"""ImageNet (ILSVRC 2012) as it lies on disk: sorted into wnid folders, or as Kaggle and the ILSVRC archives unpack."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath

from mps_study.common.imagenet_classes import imagenet_labels
from mps_study.images.candidates import Candidate, FileBytes, SourceError, as_id, image_files

PLACES = ("{part}", "ILSVRC/Data/CLS-LOC/{part}", "Data/CLS-LOC/{part}", "ILSVRC2012_img_{part}")
"""Where the images of a part may lie below the path that the user gives."""

SOLUTION = "LOC_val_solution.csv"
GROUND_TRUTH = "ILSVRC2012_validation_ground_truth.txt"


def imagenet(path: str, part: str = "val") -> list[Candidate]:
    """One part of ImageNet, in either of its layouts.

    - One folder a wnid: `val/n01440764/*.JPEG`.
    - As it unpacks: `val/*.JPEG` flat, or Kaggle's `ILSVRC/Data/CLS-LOC/val/*.JPEG`; with Kaggle's
      `LOC_val_solution.csv`, or the devkit's `ILSVRC2012_validation_ground_truth.txt` and beside it `meta.mat` or
      `map_clsloc.txt`.

    An image's id is its file name without suffix, so that both layouts give the same sample from the same seed. `test`
    has no labels.

    Args:
        path: the folder that holds `val`, `test`, or what Kaggle's archive unpacks into.
        part: `val`, `test` or `train`.

    Raises:
        SourceError: nothing there, no labels for flat images, or an image or wnid that they do not cover.
    """
    root = Path(path)
    places = [root / place.format(part=part) for place in PLACES]
    images = next((place for place in places if place.is_dir()), None)
    if images is None:
        raise SourceError(
            f"ImageNet's {part} images are not at {path}: looked for {_listed(places)}; give its folder "
            "as the source's path (in the paper's study `--params imagenet=PATH`)"
        )
    files = image_files(images)
    if not files:
        raise SourceError(f"ImageNet's {part} folder {images} holds no image")
    wnids = {} if part == "test" else _wnids(root, images, [name for name, _ in files])
    labels = imagenet_labels(wnids.values()) or {}
    if wnids and not labels:
        known = (wnid for wnid in set(wnids.values()) if imagenet_labels([wnid]))
        strange = sorted(set(wnids.values()) - set(known))
        raise SourceError(f"{images}: {strange[0]!r} is no wnid of ImageNet-1k ({len(strange)} such)")
    candidates = []
    for name, file in files:
        label, class_name = labels[wnids[name]] if wnids else (None, None)
        candidates.append(Candidate(as_id(file.stem), file.suffix.lower(), FileBytes(file), label, class_name))
    _check_unique(candidates, images)
    return candidates


def _wnids(root: Path, images: Path, names: list[PurePath]) -> dict[PurePath, str]:
    """The wnid of each image, by its folder or, where all lie flat, by a table."""
    flat = [name for name in names if len(name.parts) == 1]
    if not flat:
        return {name: name.parts[0] for name in names}
    if len(flat) < len(names):
        raise SourceError(
            f"{images} mixes {len(flat)} images outside of any wnid folder (such as {flat[0]}) with "
            f"{len(names) - len(flat)} inside; move them into their folders, or all out of them"
        )
    devkits = [*root.glob("*devkit*/data"), *root.glob("*devkit*"), *root.glob("ILSVRC/*devkit*/data")]
    homes = [root, images.parent, images, *sorted(devkits)]
    for table, read in TABLES.items():
        for home in homes:
            if (home / table).is_file():
                return _looked_up(names, read(home / table), home / table)
    raise SourceError(
        f"the images in {images} lie flat and without labels: looked for {SOLUTION} (Kaggle), or {GROUND_TRUTH} with "
        f"meta.mat or map_clsloc.txt (devkit), in {_listed(dict.fromkeys(homes))} and {root}/*devkit*/data"
    )


def _looked_up(names: list[PurePath], wnids: dict[str, str], table: Path) -> dict[PurePath, str]:
    missing = [name for name in names if name.stem not in wnids]
    if missing:
        raise SourceError(f"{table} has no label for {len(missing)} of {len(names)} images, such as {missing[0]}")
    return {name: wnids[name.stem] for name in names}


def _solution(table: Path) -> dict[str, str]:
    """Image -> wnid of Kaggle's `ImageId,PredictionString`, the latter `wnid x y x y` for every box."""
    with table.open(newline="") as file:
        rows = csv.DictReader(file)
        try:
            return {row["ImageId"]: row["PredictionString"].split()[0] for row in rows}
        except (KeyError, IndexError, AttributeError) as error:
            raise SourceError(
                f"{table}: expected the columns ImageId,PredictionString, a wnid first in each"
            ) from error


def _ground_truth(table: Path) -> dict[str, str]:
    """Image -> wnid of the devkit's list: line i is the ILSVRC2012_ID of image i, which is not its class index."""
    lines = table.read_text().split()
    wnids = _devkit_wnids(table.parent)
    try:
        return {f"ILSVRC2012_val_{i:08d}": wnids[int(line)] for i, line in enumerate(lines, start=1)}
    except (KeyError, ValueError) as error:
        raise SourceError(
            f"{table}: {error} is no class number of the devkit's map beside it (1 to {max(wnids)})"
        ) from error


def _devkit_wnids(folder: Path) -> dict[int, str]:
    """ILSVRC2012_ID -> wnid, of `meta.mat` or `map_clsloc.txt`."""
    meta, text = folder / "meta.mat", folder / "map_clsloc.txt"
    try:
        if meta.is_file():
            from scipy.io import loadmat

            synsets = loadmat(meta, squeeze_me=True)["synsets"]
            return {int(each["ILSVRC2012_ID"]): str(each["WNID"]) for each in synsets}
        if text.is_file():
            found = re.findall(r"^(n\d{8})\s+(\d+)\b", text.read_text(), flags=re.MULTILINE)
            return {int(number): wnid for wnid, number in found} or _no_rows()
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise SourceError(f"the devkit's map in {folder} cannot be read ({error}); unpack the devkit again") from error
    raise SourceError(f"{folder} holds {GROUND_TRUTH}, but neither meta.mat nor map_clsloc.txt, which name its numbers")


def _no_rows() -> dict[int, str]:
    raise ValueError("no line `wnid number name`")


def _check_unique(candidates: list[Candidate], images: Path) -> None:
    seen: set[str] = set()
    for candidate in candidates:
        if candidate.image in seen:
            raise SourceError(
                f"{images} holds two images named {candidate.image!r}; ImageNet's own names are unique: for a set of "
                "your own take `kind: folder`"
            )
        seen.add(candidate.image)


def _listed(paths: Iterable[Path]) -> str:
    return ", ".join(map(str, paths))


TABLES: dict[str, Callable[[Path], dict[str, str]]] = {SOLUTION: _solution, GROUND_TRUTH: _ground_truth}
