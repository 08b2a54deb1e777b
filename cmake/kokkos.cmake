# Kokkos: an installed one if it has the back ends we need, else from source.
function(thalweg_kokkos_from_source dir)
  set(Kokkos_ENABLE_SERIAL ON CACHE BOOL "")
  set(Kokkos_ENABLE_OPENMP ON CACHE BOOL "")
  set(Kokkos_ENABLE_CUDA ${THALWEG_ENABLE_CUDA} CACHE BOOL "")
  set(Kokkos_ENABLE_DEPRECATED_CODE_4 OFF CACHE BOOL "")
  set(Kokkos_ENABLE_TESTS OFF CACHE BOOL "")
  set(BUILD_SHARED_LIBS OFF)
  add_subdirectory(${dir} ${CMAKE_BINARY_DIR}/_kokkos EXCLUDE_FROM_ALL SYSTEM)
endfunction()

set(thalweg_kokkos_devices SERIAL)
if(NOT DEFINED Kokkos_ENABLE_OPENMP OR Kokkos_ENABLE_OPENMP)
  list(APPEND thalweg_kokkos_devices OPENMP)
endif()
if(THALWEG_ENABLE_CUDA)
  list(APPEND thalweg_kokkos_devices CUDA)
endif()

set(thalweg_kokkos_origin "")
find_package(Kokkos 4.6...<6 CONFIG QUIET)
if(Kokkos_FOUND)
  kokkos_check(DEVICES ${thalweg_kokkos_devices} RETURN_VALUE thalweg_kokkos_fits)
  if(thalweg_kokkos_fits)
    set(thalweg_kokkos_origin "installed ${Kokkos_VERSION} (${Kokkos_DIR})")
  else()
    message(FATAL_ERROR "the Kokkos in ${Kokkos_DIR} lacks one of: ${thalweg_kokkos_devices}; "
      "hide it with -DCMAKE_DISABLE_FIND_PACKAGE_Kokkos=ON or install one with these back ends")
  endif()
endif()
if(NOT thalweg_kokkos_origin)
  set(thalweg_kokkos_candidate "${KOKKOS_SOURCE_DIR}")
  if(NOT thalweg_kokkos_candidate AND EXISTS ${PROJECT_SOURCE_DIR}/build/_deps/kokkos-src/CMakeLists.txt)
    set(thalweg_kokkos_candidate ${PROJECT_SOURCE_DIR}/build/_deps/kokkos-src)
  endif()
  if(thalweg_kokkos_candidate)
    thalweg_kokkos_from_source(${thalweg_kokkos_candidate})
    set(thalweg_kokkos_origin "source in ${thalweg_kokkos_candidate}")
  else()
    include(FetchContent)
    FetchContent_Declare(kokkos
      URL https://github.com/kokkos/kokkos/releases/download/4.7.03/kokkos-4.7.03.tar.gz
      URL_HASH SHA256=969e7933b9426219b220f08036e489b3226e6d8cd24eecf2c5b80df8c37443c0
      SOURCE_DIR ${PROJECT_SOURCE_DIR}/build/_deps/kokkos-src)
    FetchContent_Populate(kokkos)
    thalweg_kokkos_from_source(${kokkos_SOURCE_DIR})
    set(thalweg_kokkos_origin "release archive 4.7.03")
  endif()
endif()

if(THALWEG_ENABLE_CUDA)
  find_package(CUDAToolkit REQUIRED)
  if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 13 AND TARGET kokkoscore
     AND EXISTS ${PROJECT_SOURCE_DIR}/build/_deps/kokkos-src/CMakeLists.txt)
    file(READ ${PROJECT_SOURCE_DIR}/build/_deps/kokkos-src/CMakeLists.txt thalweg_kokkos_text)
    if(thalweg_kokkos_text MATCHES "Kokkos_VERSION_MAJOR 4\\)" AND
       thalweg_kokkos_text MATCHES "Kokkos_VERSION_MINOR 7\\)" AND
       thalweg_kokkos_text MATCHES "Kokkos_VERSION_PATCH 0\\)")
      message(STATUS "CUDA 13 with Kokkos 4.7.0: two runtime functions changed signature, "
        "cmake/kokkos_cuda13.hpp keeps the former ones")
      target_compile_options(kokkoscore PUBLIC
        "SHELL:-include ${PROJECT_SOURCE_DIR}/cmake/kokkos_cuda13.hpp")
    endif()
  endif()
endif()
