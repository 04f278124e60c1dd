"""What tests/core shares: property tests without a clock, and a valid template file to damage."""

import pytest
from core.damaged_files import saved_bytes
from hypothesis import HealthCheck, settings

from sweet_keras.core.size import ViTSize

# A busy machine is no error.
settings.register_profile("core", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("core")


@pytest.fixture(scope="session")
def content(tmp_path_factory):
    """The bytes of a valid file."""
    return saved_bytes(tmp_path_factory.mktemp("file"), decoder=ViTSize(1, 1, 4))
