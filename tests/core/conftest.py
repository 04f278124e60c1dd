"""A valid template file for the tests that damage it."""

import pytest
from core.damaged_files import saved_bytes

from sweet_keras.core.size import ViTSize


@pytest.fixture(scope="session")
def content(tmp_path_factory):
    """The bytes of a valid file."""
    return saved_bytes(tmp_path_factory.mktemp("file"), decoder=ViTSize(1, 1, 4))
