"""In a process of its own: prints the MiB that training takes at most, beyond the imports."""

import argparse

from benchmarks.speed import machine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["ours", "peer"])
    parser.add_argument("backend")
    parser.add_argument("size")
    parser.add_argument("batch", type=int)
    parser.add_argument("device")
    parser.add_argument("threads", type=int)
    options = parser.parse_args()
    machine.prepare(options.backend, options.device, options.threads)
    import keras

    from benchmarks.speed.fit_clock import fit_seconds
    from benchmarks.speed.networks import autoencoder, image_batches
    from benchmarks.speed.sizes import parse

    size, variants = parse(options.size)
    keras.ops.convert_to_numpy(keras.ops.ones((8, 8)) @ keras.ops.ones((8, 8)))  # starts it
    batches = [(images,) for images in image_batches(size, options.batch, 2)]
    before = machine.memory_now()
    model = autoencoder(size, variants, options.batch, options.kind == "peer")
    run = fit_seconds(model, batches, 1)
    run()  # what compilation takes does not count
    machine.forget_peak()
    run()
    peak = machine.device_peak(options.backend) if options.device == "gpu" else machine.peak()
    print((peak - (0 if options.device == "gpu" else before)) / 2**20)


if __name__ == "__main__":
    main()
