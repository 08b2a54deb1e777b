// Whether an execution space computes where the host can read.
#pragma once

#include <Kokkos_Core.hpp>

namespace thalweg {

template <class ExecutionSpace>
inline constexpr bool is_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename ExecutionSpace::memory_space>::accessible;

}  // namespace thalweg
