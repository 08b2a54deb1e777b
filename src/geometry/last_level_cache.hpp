// How much of the last-level cache a processor may call its own.
#pragma once

#include <cstdint>

namespace thalweg {

/// Bytes of the largest cache that sysfs reports over the processors that share it; 16 MiB if it reports none. Does
/// not depend on threads or ranks, so what is decided by it does not either.
std::int64_t cache_bytes_per_processor();

}  // namespace thalweg
