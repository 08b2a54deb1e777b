// The one list of explicit instantiations: {float, double} x {device space, host space if another}.
#pragma once

#include <Kokkos_Core.hpp>

// MACRO(Scalar, ExecutionSpace) is expanded for every combination that this build offers.
#if defined(KOKKOS_ENABLE_CUDA)
#define THALWEG_INSTANTIATE(MACRO)                                        \
  MACRO(float, Kokkos::DefaultExecutionSpace)                             \
  MACRO(double, Kokkos::DefaultExecutionSpace)                            \
  MACRO(float, Kokkos::DefaultHostExecutionSpace)                         \
  MACRO(double, Kokkos::DefaultHostExecutionSpace)
#else
#define THALWEG_INSTANTIATE(MACRO)                 \
  MACRO(float, Kokkos::DefaultHostExecutionSpace)  \
  MACRO(double, Kokkos::DefaultHostExecutionSpace)
#endif
