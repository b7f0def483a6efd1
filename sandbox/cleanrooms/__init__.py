"""The clean room: AWS Clean Rooms' control plane and protected queries, as the service documents them."""

from sandbox.cleanrooms.service import CleanRooms

__all__ = ["CleanRooms"]
