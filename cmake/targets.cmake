# Warnings, sanitizers and the one way to declare a library of the project.
option(THALWEG_WARNINGS_AS_ERRORS "treat warnings as errors" OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(THALWEG_CCACHE ccache)
if(THALWEG_CCACHE AND NOT THALWEG_ENABLE_CUDA AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${THALWEG_CCACHE})
endif()

# g++ 12 reports what cannot happen: writes beyond the end in fmt, uninitialised strings in std::variant.
add_library(thalweg_flags INTERFACE)
target_compile_options(thalweg_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor
  "$<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow;-Wno-maybe-uninitialized>"
  -fno-math-errno -fno-trapping-math -march=${THALWEG_CPU_ARCH}
  $<$<BOOL:${THALWEG_WARNINGS_AS_ERRORS}>:-Werror>)
if(THALWEG_ENABLE_SANITIZERS)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
target_compile_definitions(thalweg_flags INTERFACE
  OMPI_SKIP_MPICXX=1 MPICH_SKIP_MPICXX=1)

# Flags of Kokkos' nvcc_wrapper: device targets get nvcc's, HOST_ONLY targets bypass nvcc
# (toml++, spdlog and fmt do not compile with it). 20011 and 20014, calls of host functions from device
# code, are warnings to nvcc and would fail on the device only: here they are errors.
function(thalweg_set_compiler_mode target mode)
  if(NOT THALWEG_ENABLE_CUDA)
    return()
  endif()
  if(mode STREQUAL "HOST_ONLY")
    target_compile_options(${target} PRIVATE --host-only)
  else()
    target_compile_options(${target} PRIVATE --expt-relaxed-constexpr "SHELL:-Xcudafe --diag_suppress=20012"
      "SHELL:-Xcudafe --diag_error=20011" "SHELL:-Xcudafe --diag_error=20014")
  endif()
endfunction()

# thalweg_add_library(name [HOST_ONLY] [LINK ..] [PRIVATE_LINK ..] [EXCLUDE file..]): every .cpp below the
# current folder but the excluded ones, of which the folder's CMakeLists.txt adds those it chooses.
# Headers are included from the repository root ("kernels/random.hpp") or from src ("core/log.hpp").
function(thalweg_add_library name)
  cmake_parse_arguments(arg "HOST_ONLY" "" "LINK;PRIVATE_LINK;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(TRANSFORM arg_EXCLUDE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources ${arg_EXCLUDE})
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE thalweg_flags ${arg_PRIVATE_LINK})
  if(arg_HOST_ONLY)
    thalweg_set_compiler_mode(${name} HOST_ONLY)
  else()
    thalweg_set_compiler_mode(${name} DEVICE)
  endif()
endfunction()
