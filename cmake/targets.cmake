# Warnings, sanitizers and the one way to declare a library of the project.
option(THALWEG_WARNINGS_AS_ERRORS "treat warnings as errors" OFF)
option(THALWEG_PRECOMPILE_HEADERS "of the standard library and GoogleTest; not in CUDA builds" ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(THALWEG_CCACHE ccache)
if(THALWEG_CCACHE AND NOT THALWEG_ENABLE_CUDA AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${THALWEG_CCACHE})
  if(THALWEG_PRECOMPILE_HEADERS AND NOT DEFINED ENV{CCACHE_SLOPPINESS})
    list(PREPEND CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros)
  endif()
endif()

# Reading these is a quarter of what most sources take to compile.
set(thalweg_common_headers <algorithm> <cmath> <cstdint> <functional> <memory> <numeric> <optional> <span> <sstream> <string>
  <unordered_map> <utility> <variant> <vector>)
# thalweg_precompile(TARGET HEADER.. | REUSE_FROM TARGET)
function(thalweg_precompile target)
  if(NOT THALWEG_PRECOMPILE_HEADERS OR THALWEG_ENABLE_CUDA)
    return()
  endif()
  if("${ARGV1}" STREQUAL "REUSE_FROM")
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# g++ 12 reports what cannot happen: writes beyond the end in fmt, uninitialised strings in std::variant.
add_library(thalweg_flags INTERFACE)
target_compile_options(thalweg_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wnon-virtual-dtor
  "$<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow;-Wno-maybe-uninitialized>"
  -fno-math-errno -fno-trapping-math -march=${THALWEG_CPU_ARCH}
  $<$<BOOL:${THALWEG_WARNINGS_AS_ERRORS}>:-Werror>)
# Without the checks of every pointer, a third of their compilation: the address sanitizer finds most of what these would.
if(THALWEG_ENABLE_SANITIZERS)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize=null,alignment,object-size,vptr
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
target_compile_definitions(thalweg_flags INTERFACE
  OMPI_SKIP_MPICXX=1 MPICH_SKIP_MPICXX=1)

# thalweg_find_device_code(FILE RESULT): does FILE include headers of Kokkos or CUDA, itself or through ours?
function(thalweg_find_device_code file result)
  get_property(found GLOBAL PROPERTY "thalweg_device_code_${file}")
  if("${found}" STREQUAL "")
    set(found FALSE)
    set_property(GLOBAL PROPERTY "thalweg_device_code_${file}" FALSE)  # should headers include each other
    cmake_path(GET file PARENT_PATH folder)
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} includes REGEX "^#include [<\"]")
    foreach(line ${includes})
      if(line MATCHES "[<\"](Kokkos_|cuda|cublas|nccl\\.h)")
        set(found TRUE)
      elseif(line MATCHES "\"(.+)\"")
        unset(header)  # of the caller, whose value find_file would keep
        find_file(header ${CMAKE_MATCH_1} PATHS ${folder} ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests NO_CACHE NO_DEFAULT_PATH)
        if(header)
          thalweg_find_device_code(${header} found)
        endif()
      endif()
      if(found)
        break()
      endif()
    endforeach()
    set_property(GLOBAL PROPERTY "thalweg_device_code_${file}" ${found})
  endif()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# Flags of Kokkos' nvcc_wrapper. 20011 and 20014, calls of host functions from device code, are warnings to nvcc and
# would fail on the device only: here they are errors.
function(thalweg_use_nvcc target)
  if(NOT THALWEG_ENABLE_CUDA)
    return()
  endif()
  target_compile_options(${target} PRIVATE --expt-relaxed-constexpr "SHELL:-Xcudafe --diag_suppress=20012"
    "SHELL:-Xcudafe --diag_error=20011" "SHELL:-Xcudafe --diag_error=20014")
  cmake_language(EVAL CODE "cmake_language(DEFER CALL thalweg_bypass_nvcc ${target})")  # once all sources are known
endfunction()

# Sources without device code go to the host compiler alone: nvcc takes three times as long, and compiles neither
# toml++ nor spdlog nor fmt.
function(thalweg_bypass_nvcc target)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    if(EXISTS ${source})
      thalweg_find_device_code(${source} has_device_code)
      if(NOT has_device_code)
        set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS --host-only)
      endif()
    endif()
  endforeach()
endfunction()

# thalweg_add_library(name [LINK ..] [PRIVATE_LINK ..] [EXCLUDE file..]): every .cpp below the
# current folder but the excluded ones, of which the folder's CMakeLists.txt adds those it chooses.
# Headers are included from the repository root ("kernels/random.hpp") or from src ("core/log.hpp").
function(thalweg_add_library name)
  cmake_parse_arguments(arg "" "" "LINK;PRIVATE_LINK;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(TRANSFORM arg_EXCLUDE PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  list(REMOVE_ITEM sources ${arg_EXCLUDE})
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE thalweg_flags ${arg_PRIVATE_LINK})
  thalweg_precompile(${name} ${thalweg_common_headers})
  thalweg_use_nvcc(${name})
endfunction()
