"""The one thing pyproject.toml cannot say: `backends/` is installed as `sweet_keras.backends`."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["sweet_keras", "sweet_keras.*"]),
        *(f"sweet_keras.{name}" for name in find_packages(include=["backends", "backends.*"])),
    ],
    package_dir={"sweet_keras.backends": "backends"},
)
