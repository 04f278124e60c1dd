"""A SegFormer of KerasHub on a network from a template, trained on masks.

    KERAS_BACKEND=jax python examples/segment_keras_hub.py garments.sweet scenes --size L6H6

The template comes from `pretrain_and_finetune.py --patch-size 4` (a pyramid needs patches of 1, 2,
4, 8, 16 or 32), the scenes from `benchmarks/make_scenes.py`; a template of colour images and any
COCO or VOC folder, or folders of images and masks, do as well. Needs `sweet_keras[hub]`, and no
TensorFlow. The same on the command line: `sweet finetune --task segment`.
"""

import argparse

import keras

import sweet_keras as sk
from sweet_keras.evaluation.mean_iou import ConfusionMatrix
from sweet_keras.evaluation.predict import predict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("template", help="file of a template")
    parser.add_argument("data", help="folder of annotated images, with train and test")
    parser.add_argument("--size", default="L6H6", help="layers and heads of the network")
    parser.add_argument("--image-size", type=int, default=64, help="a multiple of 32, in pixels")
    parser.add_argument("--channels", type=int, default=256, help="of the feature pyramid")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--model", default="segmenter.keras", help="file to write")
    options = parser.parse_args()

    template = sk.SweetTemplate.load(options.template)
    shape = (options.image_size, options.image_size, template.image_shape[2])
    source = {"task": "segment", "channels": shape[2]}
    train = sk.data.open_annotated(options.data, "train", **source)
    test = sk.data.open_annotated(options.data, "test", **source)

    steps = sk.data.steps_per_epoch(train, options.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps * options.epochs, warmup_target=1e-3, warmup_steps=steps
    )
    segmenter = sk.image_segmenter(
        sk.materialize(template, options.size),
        len(train.mask_classes),
        head="segformer",
        library="keras_hub",
        image_shape=shape,
        channels=options.channels,
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.05),
    )
    batches = sk.data.annotated_pipeline(
        train, options.batch_size, image_shape=shape, task="segment", augment="segment"
    )
    segmenter.fit(batches, steps_per_epoch=steps, epochs=options.epochs, shuffle=False, verbose=2)
    matrix = ConfusionMatrix(len(test.mask_classes))
    for index, predicted in enumerate(predict(segmenter, test)):
        matrix.add(test[index]["mask"], predicted)
    print(f"mean IoU {matrix.mean_iou:.1%}")
    segmenter.save(options.model)


if __name__ == "__main__":
    main()
