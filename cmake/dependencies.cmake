# Every find_package of the project but Kokkos, with one summary at the end.
set(HDF5_PREFER_PARALLEL ON)
find_package(MPI REQUIRED COMPONENTS C)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "HDF5 ${HDF5_VERSION} is a serial build; install a parallel one "
    "(Debian: libhdf5-openmpi-dev) or set HDF5_ROOT to it")
endif()
find_package(LAPACK REQUIRED)
find_package(ZLIB REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_path(XXHASH_INCLUDE_DIR xxhash.h REQUIRED)
find_path(LAPACKE_INCLUDE_DIR lapacke.h REQUIRED)
find_library(LAPACKE_LIBRARY lapacke REQUIRED)
if(THALWEG_ENABLE_CUDA AND THALWEG_ENABLE_NCCL)
  find_package(NCCL 2.18)
  if(NOT NCCL_FOUND)
    message(FATAL_ERROR "NCCL 2.18 or newer not found; set NCCL_ROOT to it, or configure with "
      "-DTHALWEG_ENABLE_NCCL=OFF (ranks then exchange by MPI alone)")
  endif()
  set(thalweg_nccl_origin "${NCCL_VERSION} (${NCCL_LIBRARY})")
else()
  set(thalweg_nccl_origin "off")
endif()
if(THALWEG_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()
if(THALWEG_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()

# HDF5's own include folders and definitions, without the MPI C++ bindings.
add_library(thalweg_hdf5 INTERFACE)
target_include_directories(thalweg_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(thalweg_hdf5 INTERFACE ${HDF5_C_LIBRARIES} MPI::MPI_C)
add_library(thalweg_lapack INTERFACE)
target_include_directories(thalweg_lapack SYSTEM INTERFACE ${LAPACKE_INCLUDE_DIR})
target_link_libraries(thalweg_lapack INTERFACE ${LAPACKE_LIBRARY} LAPACK::LAPACK)

if(THALWEG_ENABLE_CUDA)
  set(thalweg_cuda_origin "${CUDAToolkit_VERSION} (${CUDAToolkit_BIN_DIR})")
else()
  set(thalweg_cuda_origin "off")
endif()
message(STATUS "thalweg ${PROJECT_VERSION} is built with")
foreach(line
    "compiler   ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER})"
    "Kokkos     ${thalweg_kokkos_origin}"
    "back ends  ${thalweg_kokkos_devices}"
    "MPI        ${MPI_C_VERSION} (${MPI_C_COMPILER})"
    "HDF5       ${HDF5_VERSION} parallel"
    "LAPACK     ${LAPACK_LIBRARIES}"
    "CUDA       ${thalweg_cuda_origin}"
    "NCCL       ${thalweg_nccl_origin}"
    "tests      ${THALWEG_BUILD_TESTS}, benchmarks ${THALWEG_BUILD_BENCH}, faults ${THALWEG_ENABLE_FAULTS}"
    "build type ${CMAKE_BUILD_TYPE}, -march=${THALWEG_CPU_ARCH}, sanitizers ${THALWEG_ENABLE_SANITIZERS}")
  message(STATUS "  ${line}")
endforeach()
