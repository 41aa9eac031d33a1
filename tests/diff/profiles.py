"""Two profiles of a service before and after it leaked locks, of which pprof's own output is known."""

from heapdiff.diff.profile import Profile, ProfileSample, build_profile

__all__ = ["AFTER", "BEFORE", "profile_of"]


def profile_of(*samples: tuple[str, int, int]) -> Profile:
    """A profile from stacks such as ``"Lock < dict < module"``, objects and bytes."""
    return build_profile(
        ProfileSample(tuple(stack.split(" < ")), objects, shallow_bytes) for stack, objects, shallow_bytes in samples
    )


BEFORE = profile_of(
    ("Lock < dict < LockRegistry < module app.locks", 213, 55_000),
    ("dict < LockRegistry < module app.locks", 1, 9_000),
    ("LockRegistry < module app.locks", 1, 48),
    ("module app.locks", 1, 72),
    ("str < dict < module app.cache", 100, 5_300),
    ("dict < module app.cache", 1, 4_700),
    ("list < module app.old", 3, 200_000),
)
AFTER = profile_of(
    ("Lock < dict < LockRegistry < module app.locks", 48_213, 12_400_000),
    ("dict < LockRegistry < module app.locks", 1, 2_600_000),
    ("LockRegistry < module app.locks", 1, 48),
    ("module app.locks", 1, 72),
    ("str < dict < module app.cache", 110, 5_800),
    ("dict < module app.cache", 1, 4_700),
    ("list < module app.old", 1, 80_000),
)
