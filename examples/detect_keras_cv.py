"""A RetinaNet of keras-cv on a network from a template, trained on boxes in COCO's format.

    KERAS_BACKEND=torch python examples/detect_keras_cv.py garments.sweet scenes --size L6H6

The template comes from `pretrain_and_finetune.py --patch-size 4` (a pyramid needs patches of 1, 2,
4, 8, 16 or 32), the scenes from `benchmarks/make_scenes.py`; a template of colour images and any
COCO folder do as well. Needs `sweet_keras[cv]`. `sweet_keras.image_detector` does what stands
between the marks below in one call, with keras-cv or KerasHub, whichever is installed. The same on
the command line: `sweet finetune --task detect`.
"""

import argparse

import keras
import keras_cv

import sweet_keras as sk
from sweet_keras.evaluation.coco_metrics import coco_metrics
from sweet_keras.evaluation.predict import predict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", help="file of a template")
    parser.add_argument("data", help="folder in COCO's layout, with train and test")
    parser.add_argument("--size", default="L6H6", help="layers and heads of the network")
    parser.add_argument("--image-size", type=int, default=64, help="a multiple of 32, in pixels")
    parser.add_argument("--channels", type=int, default=256, help="of the feature pyramid")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--model", default="detector.keras", help="file to write")
    options = parser.parse_args()

    template = sk.SweetTemplate.load(options.template)
    shape = (options.image_size, options.image_size, template.image_shape[2])
    train = sk.data.open_annotated(options.data, "train", channels=shape[2])
    test = sk.data.open_annotated(options.data, "test", channels=shape[2])

    vit = sk.materialize(template, options.size)
    detector = keras_cv.models.RetinaNet(  # from here
        sk.cv.pyramid(vit, shape, channels=options.channels, levels=(3, 4, 5)),
        num_classes=len(train.classes),
        bounding_box_format="xyxy",
        prediction_decoder=sk.cv.prediction_decoder(
            "xyxy", from_logits=True, confidence_threshold=0.05
        ),
    )
    steps = sk.data.steps_per_epoch(train, options.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps * options.epochs, warmup_target=1e-3, warmup_steps=steps
    )
    detector.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.05),
        box_loss="smoothl1",
        classification_loss="focal",
    )  # to here
    batches = sk.data.annotated_pipeline(
        train, options.batch_size, image_shape=shape, task="detect", augment="detect"
    )
    detector.fit(batches, steps_per_epoch=steps, epochs=options.epochs, shuffle=False, verbose=2)
    truths = [test.annotation(index) for index in range(len(test))]
    measured = coco_metrics(truths, list(predict(detector, test)), test.classes)
    print(f"AP {measured['AP']:.1%}  AP50 {measured['AP50']:.1%}")
    detector.save(options.model)


if __name__ == "__main__":
    main()
