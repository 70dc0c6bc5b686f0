"""Energy: solar power, the grid's carbon."""

from wstdes.models.energy.supply import carbon_shape, clear_sky_share, cloud_share, solar_scale

__all__ = ["carbon_shape", "clear_sky_share", "cloud_share", "solar_scale"]
