#include "core/build_info.hpp"

#include "core/build_values.hpp"

namespace thalweg {

BuildInfo build_info() {
  return {build_values::version, build_values::git,    build_values::compiler, build_values::flags,
          build_values::kokkos,  build_values::device, build_values::mpi,      build_values::hdf5};
}

}  // namespace thalweg
